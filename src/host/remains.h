#ifndef LUVD_HOST_REMAINS_H
#define LUVD_HOST_REMAINS_H

#include <sys/types.h>

#include "plan/daemon.h"

/* What a daemon that ends inside a signal handler still takes away: its unix sockets, pidfile,
 * control socket, record and lock. Noted before, so that nothing but system calls is left to do. */

enum { REMAINS_MAX = 64, REMAINS_PATH_MAX = 256 };

struct remains {
	struct {
		char path[REMAINS_PATH_MAX];
		dev_t device;
		ino_t inode;
	} files[REMAINS_MAX];
	size_t count;
	char folders[2][REMAINS_PATH_MAX]; /* of the lock and the one it lies in: when empty */
};

/* Nothing in a chroot: no path means there what it meant, and none can be reached. A monitor is in
 * none. */
void remains_note(struct remains *remains, const struct daemon *daemon);
/* Removes each that is still the same file. Async-signal-safe, signal-safety(7). */
void remains_remove(const struct remains *remains);

#endif
