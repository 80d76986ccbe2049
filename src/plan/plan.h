#ifndef LUVD_PLAN_PLAN_H
#define LUVD_PLAN_PLAN_H

#include "plan/step.h"

enum { PLAN_MAX = 48 };

/* The rows that apply, in order. */
struct plan {
	const struct step *rows[PLAN_MAX];
	size_t count;
	size_t next; /* the first row that has not been taken: undo starts before it */
};

/* Asks the machine (one probe). Reads daemon->source.environment for LISTEN_*,
 * NOTIFY_SOCKET, WATCHDOG_*, JOURNAL_STREAM. */
int machine_probe(struct daemon *daemon, struct err *err);

/* A pure filter over the one table. roles: LAUNCH|MONITOR|WORKER for a classic daemon. */
void plan_make(struct plan *plan, const struct daemon *daemon, unsigned roles);
/* What a person can decide from the machine alone, before anything is done: a capability that
 * a row needs and this user lacks, a port below 1024 ... All of them, each with line and key. */
int plan_check(const struct plan *plan, const struct daemon *daemon, struct errs *errs);
/* The same for a reload: only the rows' capabilities and the limits. Sockets and log are there. */
int plan_check_rows(const struct plan *plan, const struct daemon *daemon, struct errs *errs);
/* Numbered, aligned, a line or more a row; json: {"name", "steps": [{"step","does","roles"}]} */
void plan_print(const struct plan *plan, const struct daemon *daemon, bool json, FILE *out);
/* Takes the rows one after the other. Returns 0 when all are done, STEP_LEAVE in the launcher
 * once the daemon has detached, -1 with err->step filled; the caller then calls plan_undo.
 * The rows stdio and context, taken by main, are passed over when daemon says they are done. */
int plan_apply(struct plan *plan, struct daemon *daemon, struct err *err);
/* The row called name has begun in another process: undo covers it and all before it. */
void plan_begun(struct plan *plan, const char *name);
/* Undoes backwards the rows taken so far, the one that failed, and those that have begun elsewhere.
 */
void plan_undo(struct plan *plan, struct daemon *daemon);

#endif
