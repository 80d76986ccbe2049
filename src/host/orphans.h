#ifndef LUVD_HOST_ORPHANS_H
#define LUVD_HOST_ORPHANS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Processes that became our children because those who had started them ended (sys_subreaper, or
 * process 1 of a container). Who was a child before, as the `&` of a script that then executed
 * luvd, is a stranger: reaped, never killed. Whose an orphan was that has a session of its own
 * nobody can tell afterwards, unless workers have control groups: it goes with the next worker that
 * ends, be it another's. */

enum { ORPHANS_MAX = 1024, STRANGERS_MAX = 64 };

struct orphans {
	pid_t strangers[STRANGERS_MAX];
	size_t count;
	/* Somebody else waits for this one, and it is not ours to kill. NULL: for none. */
	bool (*kept)(void *data, pid_t pid);
	/* It belongs to somebody who lives, as the leader of its session. NULL: none does. */
	bool (*owned)(void *data, pid_t pid, pid_t session);
	void *data;
};

/* The children of this moment are strangers. */
void orphans_note(struct orphans *orphans);
/* Waits for those that have ended. */
void orphans_reap(struct orphans *orphans);
/* Kills those that nobody keeps or owns; true: there were some. */
bool orphans_kill(const struct orphans *orphans);
/* Kills them after patience_ms, unless they have ended by themselves, and waits at most
 * ORPHANS_END_MS for the last one. */
enum { ORPHANS_END_MS = 1000 };
void orphans_end(struct orphans *orphans, int patience_ms);

#endif
