#ifndef LUVD_PLAN_OPEN_FILE_H
#define LUVD_PLAN_OPEN_FILE_H

#include <sys/types.h>

#include "err.h"
#include "plan/daemon.h"

/* How a privileged process opens a file that somebody else may have prepared: regular files only,
 * no symbolic link, no second name when it is written to. */
struct open_file {
	const char *path; /* absolute */
	char mode;        /* 'r', 'a' (append) or 'w' (emptied) */
	mode_t perm;      /* of a new file, whatever the umask */
	uid_t uid;        /* owner of a new file; -1: ours */
	gid_t gid;
	bool folders_owner; /* a new file goes to uid only in a folder that is uid's own */
};

/* Returns the descriptor, close-on-exec; *made tells whether the file is new. self: our uid. */
int open_file(const struct open_file *wish, uid_t self, struct made *made, struct err *err);
/* Opens spec->files[index] of the daemon, at the start and, for USR1, anew. err carries line and
 * key. */
int open_file_declared(const struct daemon *daemon, size_t index, struct made *made,
		       struct err *err);
/* Opens it again behind the descriptor fd, for USR1: with the rights that the daemon has now, and
 * as distrustful as at start. */
int open_file_anew(const struct file *file, int fd, struct err *err);
/* Removes a file that this start has made, unless somebody has written to it. */
void open_file_undo(const char *path, const struct made *made, int fd);

#endif
