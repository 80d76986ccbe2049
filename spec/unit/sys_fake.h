#ifndef LUVD_SPEC_SYS_FAKE_H
#define LUVD_SPEC_SYS_FAKE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "sys/sys.h"

/* A kernel of one process, kept in memory: it writes down what was asked, answers as the real one
 * would in the simplest case, and can refuse any call. */

enum { FAKE_NODES = 96, FAKE_FDS = 64, FAKE_TEXT = 1 << 16 };

struct fake_node {
	char path[200];
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char text[4096];
	size_t length;
	bool listening; /* a socket: somebody accepts */
	bool locked;    /* by somebody else */
	ino_t inode;    /* 0: free */
	bool linked;    /* its path still names it */
};

struct fake {
	char transcript[FAKE_TEXT];
	size_t used;
	int calls;               /* so far */
	int refuse_at;           /* the call with this number fails; -1 */
	const char *refuse_name; /* or the nth call of this name */
	int refuse_nth;
	int refuse_code;
	char refused[64]; /* the name of the one that was */

	struct fake_node nodes[FAKE_NODES];
	ino_t next_inode;
	struct {
		bool open;
		int node; /* -1: not a file */
		int domain;
		bool listening;
		int type;
		char path[200]; /* what it was opened by */
	} fds[FAKE_FDS];

	char **environment;
	bool set_uid;
	pid_t pid, parent;
	pid_t forks[2]; /* what the next calls of fork return */
	int fork_count;
	jmp_buf *on_exit;
	int pending;     /* a signal that waits */
	bool returnable; /* ids can be regained: a kernel that lies */
	struct sys_ids ids;
	struct sys_capabilities capabilities;
	bool keep, no_new_privs, dumpable, blocked, rooted;
	mode_t umask;
	rlim_t limits[32];
	char folder[200]; /* working directory */
	int threads;
};

extern struct fake fake;

/* root or uid 1000, with / /run /tmp /var /var/lib /var/cache /var/log /srv /dev/null and /proc. */
void fake_reset(bool root);
/* Opens what sample_worker speaks of, and one descriptor more, 20. */
void fake_worker(size_t listeners, size_t files);
void fake_refuse(const char *name, int nth, int code);
struct fake_node *fake_node(const char *path); /* NULL: no such file */
struct fake_node *fake_add(const char *path, mode_t mode);
/* Does the transcript have these calls in this order? Ends with NULL. */
bool fake_saw(const char *first, ...) __attribute__((sentinel));
/* All paths that exist, a line each, for comparing before and after. */
void fake_list(char *text, size_t size);

#endif
