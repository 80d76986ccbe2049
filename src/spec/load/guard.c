#include "spec/load/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Between the hook and the hard end: long enough to unwind. */
enum { GRACE_MS = 250 };

/* HUP to USR2 are blocked in a launcher and mean something there; these two do not. */
enum { SIGNAL_CPU = SIGVTALRM, SIGNAL_WALL = SIGALRM };

/* What the handler must reach: a signal handler gets no argument of ours. */
static struct guard *volatile current;

/* "echo.lua:3" of the Lua function that runs now or has called the C function that runs. Safe in a
 * signal handler and in the allocator: only reads. */
static void find_where(struct guard *guard, lua_State *L)
{
	char digits[16], *digit = digits + sizeof digits;
	lua_Debug ar;
	size_t length = 0;

	*--digit = 0;
	for (int level = 0; L && lua_getstack(L, level, &ar); level++) {
		if (!lua_getinfo(L, "Sl", &ar) || ar.currentline <= 0)
			continue;
		for (int line = ar.currentline; line; line /= 10)
			*--digit = (char)('0' + line % 10);
		*--digit = ':';
		break;
	}
	if (*digit) { /* a line was found: ar is its function */
		length = strnlen(ar.short_src, sizeof ar.short_src);
		memcpy(guard->where, ar.short_src, length);
	} else {
		length = strnlen(guard->shown, sizeof guard->where - sizeof digits);
		memcpy(guard->where, guard->shown, length);
	}
	memcpy(guard->where + length, digit, strlen(digit) + 1);
}

static const char *limit_name(int limit)
{
	return limit == GUARD_CPU ? "CPU" : limit == GUARD_WALL ? "wall time" : "memory";
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
	struct guard *guard = current;

	(void)ar;
	if (!guard)
		return;
	if (!guard->where[0])
		find_where(guard, L);
	lua_pushliteral(L, "a bound was passed");
	lua_error(L);
}

static void put(const char *text)
{
	ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

	(void)ignored; /* nobody is left to tell */
}

/* Neither Lua nor stdio may run here. */
static void end_process(struct guard *guard)
{
	char seconds[16], *digit = seconds + sizeof seconds;
	int ms = guard->over == GUARD_CPU ? guard->bounds.cpu_ms : guard->bounds.wall_ms;

	find_where(guard, guard->L);
	*--digit = 0;
	if (ms % 1000) {
		for (int i = 0, rest = ms % 1000; i < 3; i++, rest /= 10)
			*--digit = (char)('0' + rest % 10);
		*--digit = '.';
	}
	for (int rest = ms / 1000, first = 1; rest || first; rest /= 10, first = 0)
		*--digit = (char)('0' + rest % 10);
	put("luvd: ");
	put(guard->where);
	put(": the daemon file used more than ");
	put(digit);
	put(" s of ");
	put(limit_name(guard->over));
	put("\n");
	_exit(EXIT_USAGE);
}

static void on_timer(int number)
{
	struct guard *guard = current;
	int saved = errno;

	if (!guard)
		return;
	if (guard->over || !guard->L) {
		if (!guard->over)
			guard->over = number == SIGNAL_CPU ? GUARD_CPU : GUARD_WALL;
		end_process(guard);
	}
	guard->over = number == SIGNAL_CPU ? GUARD_CPU : GUARD_WALL;
	lua_sethook(guard->L, on_hook, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
		    1);
	errno = saved;
}

static int arm(clockid_t clock, int number, int ms, timer_t *timer)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = number};
	struct itimerspec when = {
	    .it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L},
	    .it_interval = {.tv_nsec = GRACE_MS * 1000000L},
	};

	if (timer_create(clock, &event, timer) < 0)
		return -1;
	if (timer_settime(*timer, 0, &when, NULL) == 0)
		return 0;
	timer_delete(*timer);
	return -1;
}

static void watched(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGNAL_CPU);
	sigaddset(set, SIGNAL_WALL);
}

static int restore(struct guard *guard)
{
	static const struct timespec now;
	sigset_t set;
	int failed;

	/* A signal that is on its way must not meet the old action. */
	watched(&set);
	failed = sigprocmask(SIG_BLOCK, &set, NULL);
	while (sigtimedwait(&set, NULL, &now) > 0)
		;
	current = NULL;
	failed |= sigaction(SIGNAL_CPU, &guard->old_cpu, NULL);
	failed |= sigaction(SIGNAL_WALL, &guard->old_wall, NULL);
	failed |= sigprocmask(SIG_SETMASK, &guard->old_mask, NULL);
	guard->started = false;
	return failed;
}

static int watch(struct guard *guard)
{
	struct sigaction action = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	sigset_t set;

	sigemptyset(&action.sa_mask);
	watched(&set);
	if (sigprocmask(SIG_UNBLOCK, &set, &guard->old_mask) < 0)
		return -1;
	current = guard;
	guard->started = true;
	if (sigaction(SIGNAL_CPU, &action, &guard->old_cpu) < 0 ||
	    sigaction(SIGNAL_WALL, &action, &guard->old_wall) < 0) {
		restore(guard);
		return -1;
	}
	return 0;
}

int guard_start(struct guard *guard, struct err *err)
{
	if (watch(guard) < 0)
		return err_sys(err, "cannot catch the signals of a timer");
	if (arm(CLOCK_PROCESS_CPUTIME_ID, SIGNAL_CPU, guard->bounds.cpu_ms, &guard->cpu) == 0) {
		if (arm(CLOCK_MONOTONIC, SIGNAL_WALL, guard->bounds.wall_ms, &guard->wall) == 0)
			return 0;
		timer_delete(guard->cpu);
	}
	err_sys(err, "cannot arm a timer");
	restore(guard);
	return -1;
}

int guard_stop(struct guard *guard, struct err *err)
{
	if (!guard->started)
		return 0;
	timer_delete(guard->cpu);
	timer_delete(guard->wall);
	if (restore(guard) < 0)
		return err_sys(err, "cannot put back how signals are handled");
	return 0;
}

/* Lua collects garbage and asks again for what was refused: only the second refusal counts. */
static void *refuse(struct guard *guard, size_t size)
{
	bool hopeless = size > guard->bounds.memory;

	if ((guard->refused == size || hopeless) && !guard->over) {
		guard->over = GUARD_MEMORY;
		find_where(guard, guard->L);
	}
	guard->refused = size;
	return NULL;
}

void *guard_alloc(void *data, void *block, size_t old_size, size_t size)
{
	struct guard *guard = data;
	size_t old = block ? old_size : 0; /* without a block old_size is a type */
	void *fresh;

	if (size == 0) {
		free(block);
		guard->used -= old;
		return NULL;
	}
	if (size > old && guard->used - old + size > guard->bounds.memory)
		return refuse(guard, size);
	fresh = realloc(block, size);
	if (!fresh)
		return refuse(guard, size);
	if (size > old)
		guard->refused = 0;
	guard->used += size - old;
	return fresh;
}

bool guard_failed(const struct guard *guard, struct err *err)
{
	int ms = guard->over == GUARD_CPU ? guard->bounds.cpu_ms : guard->bounds.wall_ms;

	if (guard->over == GUARD_NONE)
		return false;
	err->exit = EXIT_USAGE;
	snprintf(err->where, sizeof err->where, "%s",
		 guard->where[0] ? guard->where : guard->shown);
	if (guard->over == GUARD_MEMORY)
		err_set(err, "the daemon file used more than %zu MiB of memory",
			guard->bounds.memory >> 20);
	else
		err_set(err, "the daemon file used more than %g s of %s", ms / 1000.0,
			limit_name(guard->over));
	return true;
}
