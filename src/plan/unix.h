#ifndef LUVD_PLAN_UNIX_H
#define LUVD_PLAN_UNIX_H

#include <sys/types.h>

#include "err.h"
#include "plan/daemon.h"

/* What the file of a unix socket shall be. */
struct unix_file {
	const char *path;
	mode_t mode;
	uid_t uid; /* -1: as it comes */
	gid_t gid; /* -1 */
	int backlog;
};

/* Lets fd, an unbound stream socket, listen at file->path. The file appears whole: made under
 * another name in the same folder, with its mode and owner, listening, then renamed. It replaces a
 * socket to which nobody listens, and nothing else. self: our effective uid. Fills *made. */
int unix_listen(int fd, const struct unix_file *file, uid_t self, struct made *made,
		struct err *err);
/* The path of a unix socket's address. */
const char *unix_path(const struct address *address);
/* For undo in a launcher, which does not know what the daemon has made: removes path when it is a
 * socket to which nobody listens. */
void unix_discard(const char *path);

#endif
