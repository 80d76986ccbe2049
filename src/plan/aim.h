#ifndef LUVD_PLAN_AIM_H
#define LUVD_PLAN_AIM_H

#include <stdio.h>

#include "plan/daemon.h"

/* What the process shall be when it meets the service: step identity makes it so, step audit
 * proves it. Pure: from the spec and the machine. */
struct aim {
	bool ids;              /* ids and groups are set; false: they are the caller's, and stay */
	bool new_capabilities; /* false: those of the caller stay (root that stays root) */
	bool new_bounding;     /* false: it stays: emptying it needs CAP_SETPCAP */
	uid_t uid;
	gid_t gid;
	const gid_t *gids; /* supplementary */
	size_t gid_count;
	uint64_t capabilities; /* effective and permitted */
	uint64_t bounding;
};

void aim_make(struct aim *aim, const struct daemon *daemon);
/* Is capability in mask? */
bool aim_has(uint64_t mask, int capability);
/* Is it one of the supplementary groups? */
bool aim_in_group(const struct aim *aim, uint64_t group);
/* "net_bind_service, setuid", or "none". */
void aim_print_capabilities(uint64_t mask, FILE *out);

#endif
