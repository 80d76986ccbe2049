#ifndef LUVD_SERVICE_FS_CALL_H
#define LUVD_SERVICE_FS_CALL_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "service/fs_request.h"

/* A call of luvd.fs: a request that the task which makes it waits for. */

enum { FS_READ_MAX = 16 << 20 }; /* max of calls that read a whole file, unless given */

/* The option table of a call; which of them it takes is a set of these. */
enum {
	FS_TIMEOUT = 1,
	FS_MAX = 2,
	FS_MODE = 4,
	FS_PARENTS = 8,
	FS_RECURSIVE = 16,
	FS_DIRECTORY = 32,
	FS_FOLLOW = 64
};

struct fs_options {
	int64_t timeout; /* milliseconds; -1: none */
	int64_t max;     /* bytes */
	mode_t mode;
	bool has_mode, parents, recursive, directory, no_follow;
};

struct fs_call;

/* What a call does. */
struct fs_op {
	/* On a thread of the pool: 0 or more, or -errno. */
	int (*run)(struct fs_call *call);
	/* Pushes the results of one that has not failed; NULL: true. May raise. */
	int (*push)(lua_State *L, struct fs_call *call);
};

struct fs_call {
	struct fs_request request;
	const struct fs_op *op;
	struct task *task;    /* that waits */
	struct fs_call **box; /* the userdata that keeps it on the task's stack */
	struct fs_options options;

	char *path, *other; /* copies of the arguments */
	char *bytes;
	size_t length;
	int fd;         /* of an open file: not ours */
	int flags;      /* of open(2) */
	int64_t offset; /* of lseek(2) */

	const char *why; /* instead of the system's text; static */
	int opened;      /* a descriptor that is ours; -1: none */
	char *made;      /* a path that goes again when nobody takes it */
	char *out;
	size_t out_length;
	char **names;
	size_t name_count;
	struct stat stat;
};

void fs_calls_open(lua_State *L);

/* Checks that the caller may wait, and pushes what keeps the new call. Raises. */
struct fs_call *fs_call_create(lua_State *L, const struct fs_op *op);
/* Copies of an argument. Raise: on a path with NUL, on what is no string or list of strings. */
void fs_call_path(lua_State *L, char **to, int index);
void fs_call_bytes(lua_State *L, struct fs_call *call, int index);
/* { timeout = "5s", mode = "0640" } at index, or nil. Raises on an unknown one. */
void fs_call_options(lua_State *L, struct fs_call *call, int index, unsigned allowed);
/* Runs it and goes on with its results: return what this returns. */
int fs_call_wait(lua_State *L, struct fs_call *call);

/* --- for run --- */

/* The folder of a path (to be freed; NULL: out of memory) and, in *name, its last component. */
char *fs_split(const char *path, const char **name);
/* A name that nobody guesses: ".luvd-" and 16 digits. */
enum { FS_RANDOM_NAME = 24 };
int fs_random_name(char name[FS_RANDOM_NAME]);
/* Opens call->path as call->opened, for writing and flags; 0 or -errno. options.mode is that of a
 * new file, whatever the umask; without one the umask has its say. */
int fs_open_to_write(struct fs_call *call, int flags);
/* All of call->bytes; 0 or -errno. */
int fs_write_whole(struct fs_call *call, int fd);
/* fsync(2): 0 or -errno. In a simulation nothing has to outlive the machine: 0 at once. */
int fs_sync(struct fs_call *call, int fd);
/* The file from its first byte on, at most options.max bytes, into call->out; 0 or -errno. */
int fs_read_whole(struct fs_call *call, int fd);
/* Removes it, and all that is in it, seen from the open folder; follows no link; 0 or -errno. */
int fs_remove_tree(struct fs_call *call, int folder, const char *name);
/* Removes a file, or an empty folder; with options.recursive all that is in it. */
int fs_run_remove(struct fs_call *call);

/* --- the calls --- */

int fs_push_bytes(lua_State *L, struct fs_call *call);
int fs_push_stat(lua_State *L, struct fs_call *call);

/* fs_read.c, fs_write.c, fs_tree.c, fs_open.c */
int fs_l_list(lua_State *L);
int fs_l_stat(lua_State *L);
int fs_l_read(lua_State *L);
int fs_l_write(lua_State *L);
int fs_l_append(lua_State *L);
int fs_l_replace(lua_State *L);
int fs_l_rename(lua_State *L);
int fs_l_mkdir(lua_State *L);
int fs_l_remove(lua_State *L);
int fs_l_open(lua_State *L);
int fs_l_temporary(lua_State *L);

#endif
