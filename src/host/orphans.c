#include "host/orphans.h"

#include <signal.h>
#include <sys/wait.h>

#include "sys/sys.h"

enum { EVERY_MS = 2 };

void orphans_note(struct orphans *orphans)
{
	orphans->count = sys_children(orphans->strangers, STRANGERS_MAX);
}

static bool is_kept(const struct orphans *orphans, pid_t pid)
{
	return orphans->kept && orphans->kept(orphans->data, pid);
}

/* Its number may be another's soon. */
static void forget_stranger(struct orphans *orphans, pid_t pid)
{
	for (size_t i = 0; i < orphans->count; i++)
		if (orphans->strangers[i] == pid)
			orphans->strangers[i--] = orphans->strangers[--orphans->count];
}

/* How many of those that were looked at have ended; full: there may be more. */
static size_t reap_some(struct orphans *orphans, bool *full)
{
	pid_t list[ORPHANS_MAX];
	size_t count = sys_children(list, ORPHANS_MAX), ended = 0;
	int status;

	for (size_t i = 0; i < count; i++) {
		if (is_kept(orphans, list[i]) || sys_wait(list[i], &status, WNOHANG) != list[i])
			continue;
		forget_stranger(orphans, list[i]);
		ended++;
	}
	*full = count == ORPHANS_MAX;
	return ended;
}

/* Signals collapse: for those that are left out now, none may come. */
void orphans_reap(struct orphans *orphans)
{
	bool full;

	while (reap_some(orphans, &full) > 0 && full)
		;
}

/* Our own session has what we have started ourselves. */
static bool is_orphan(const struct orphans *orphans, pid_t pid)
{
	pid_t session;

	for (size_t i = 0; i < orphans->count; i++)
		if (orphans->strangers[i] == pid)
			return false;
	if (is_kept(orphans, pid))
		return false;
	session = sys_session(pid);
	return session > 0 && session != sys_session(0) &&
	       !(orphans->owned && orphans->owned(orphans->data, pid, session));
}

bool orphans_kill(const struct orphans *orphans)
{
	pid_t list[ORPHANS_MAX];
	size_t count = sys_children(list, ORPHANS_MAX);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!is_orphan(orphans, list[i]))
			continue;
		any = true;
		sys_kill(list[i], SIGKILL);
	}
	return any;
}

static bool are_gone(struct orphans *orphans)
{
	pid_t list[ORPHANS_MAX];
	size_t count;

	orphans_reap(orphans);
	count = sys_children(list, ORPHANS_MAX);
	for (size_t i = 0; i < count; i++)
		if (is_orphan(orphans, list[i]))
			return false;
	return true;
}

/* Children of those that are killed come to us only then: until none is left. */
void orphans_end(struct orphans *orphans, int patience_ms)
{
	for (int waited = 0; !are_gone(orphans) && waited < patience_ms; waited += EVERY_MS)
		sys_sleep(EVERY_MS);
	for (int waited = 0; !are_gone(orphans) && waited < ORPHANS_END_MS; waited += EVERY_MS) {
		orphans_kill(orphans);
		sys_sleep(EVERY_MS);
	}
}
