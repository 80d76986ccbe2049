#ifndef LUVD_HOST_MONITOR_CANDIDATE_H
#define LUVD_HOST_MONITOR_CANDIDATE_H

#include "plan/daemon.h"

/* A daemon file that a loader has read, before anybody depends on it. */
struct candidate {
	struct spec *spec; /* resolved; owned */
	int bundle_fd;     /* sealed memfd of it; owned; -1: not made yet */
};

/* What is plain before a worker is started from it: privileges that its rows need and the monitor
 * cannot give, limits above ours, an owner of folders that would be another one. */
int candidate_check(const struct candidate *candidate, const struct daemon *daemon,
		    struct err *err);
/* Makes the bundle. */
int candidate_seal(struct candidate *candidate, struct err *err);
/* Somebody else owns both from here on. */
void candidate_leave(struct candidate *candidate);
void candidate_finish(struct candidate *candidate);

#endif
