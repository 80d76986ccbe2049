#ifndef LUVD_SERVICE_FS_FILE_H
#define LUVD_SERVICE_FS_FILE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/fs_request.h"

/* An open file as Lua knows it: of fs.open and fs.temporary, or one of daemon.files. Its requests
 * run one after another, each on the descriptor's own position, so that bytes of two tasks never
 * mix and USR1, which puts a new file behind the same descriptor, begins at the start of it. */

struct task;

enum { FS_READ_AHEAD = 65536, FS_LINE_MAX = 65536 };

/* What a file is open for; FS_ANY only asks. */
enum fs_mode { FS_ANY, FS_READS, FS_WRITES, FS_FOLDER };

struct fs_file {
	struct fs_request last; /* when the userdata is gone: closes it and frees this struct */
	struct fs_lane lane;
	int fd; /* -1: closed, or a folder */
	enum fs_mode mode;
	bool declared; /* of daemon.files: luvd's, not the service's */
	bool closed;
	char *path;
	char *temporary; /* removed with it */

	struct {
		char *bytes;
		size_t start, end, room;
	} unread;                   /* what is left is [start, end) */
	struct task *reader;        /* waits for bytes; one at a time */
	bool reading;               /* a block is being read, whoever waits for it still */
	bool ended;                 /* it was empty */
	int failed;                 /* -errno of it */
	const char *message, *code; /* the last failure of a read; code NULL: none */
};

void fs_files_open(lua_State *L);
/* Pushes a closed one, to be filled; copies path. Raises. */
struct fs_file *fs_file_push(lua_State *L, const char *path, enum fs_mode mode);
/* The first argument. Raises when it is none, or is not for mode; NULL when it is closed: then nil,
 * message, code have been pushed. */
struct fs_file *fs_file_check(lua_State *L, enum fs_mode mode);

/* fs_file_read.c */
int fs_file_l_read(lua_State *L);
int fs_file_l_read_line(lua_State *L);
int fs_file_l_read_all(lua_State *L);
int fs_file_l_chunks(lua_State *L);
int fs_file_l_lines(lua_State *L);
int fs_file_l_failure(lua_State *L);
/* Nothing is read ahead any more. */
void fs_file_forget(struct fs_file *file);

#endif
