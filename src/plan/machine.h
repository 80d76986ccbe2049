#ifndef LUVD_PLAN_MACHINE_H
#define LUVD_PLAN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* What this machine can and what the launcher left us, asked once. plan_make reads only
 * this, so a plan for another machine or user is a changed copy of it. */

enum { INHERITED_MAX = 64, LIMITS_MAX = 32 };

struct inherited {
	int fd;
	char name[64];     /* of LISTEN_FDNAMES; "" when none */
	char address[160]; /* "tcp://127.0.0.1:8080" as getsockname(2) tells */
};

struct machine {
	uid_t uid, euid;
	gid_t gid;
	bool root;             /* the rules for root apply */
	uint64_t capabilities; /* effective, bit CAP_* */
	uint64_t bounding;
	bool no_new_privs; /* already set */
	int port_floor;    /* ports below it need CAP_NET_BIND_SERVICE */
	uint64_t
	    hard[LIMITS_MAX]; /* hard limits by RLIMIT_*: what can be had without a privilege */
	struct inherited inherited[INHERITED_MAX];
	size_t inherited_count;
	char notify_socket[108];                   /* NOTIFY_SOCKET; "" when none */
	int64_t watchdog_usec;                     /* WATCHDOG_USEC for us; 0: none */
	int notify_fd;                             /* --notify-fd; -1: none */
	bool stderr_is_journal, stdout_is_journal; /* $JOURNAL_STREAM says so */
	bool stderr_is_file, stdout_is_file;       /* a regular file */
	int cpus;
};

struct source;

/* LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES of source's environment: fills inherited (addresses
 * come with machine_probe). A LISTEN_PID that is not ours means none. */
int machine_inherited(struct machine *machine, const struct source *source, struct err *err);
/* The same machine seen by root with every capability: what `plan --as root` shows. */
void machine_as_root(struct machine *machine);

#endif
