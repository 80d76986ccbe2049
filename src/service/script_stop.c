#include "service/script_state.h"

#include <errno.h>
#include <lauxlib.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/sim.h"
#include "service/vm.h"
#include "sys/sys.h"

/* What ends a script from outside, wherever it is: in Lua, which gets a hook that raises, or in
 * the loop, which is woken. */

enum { INTERRUPTED = 1, LATE };
enum { SECOND = 1000 };
enum { LATE_TICKS = 5 }; /* errors, one a second, until a script that catches them is given up */

/* The one global: what the handlers must reach. */
static struct script *volatile running;

static int number_of_deadline(void)
{
	return SIGRTMIN + 2; /* SIGRTMIN is host/signals.c's, the next slice.c's */
}

/* --- the handlers: async-signal-safe calls only, and lua_sethook --- */

static void stop(struct script *script, int why)
{
	struct vm *vm = script->vm;

	vm->slice.stop = why;
	vm->slice.hooks = true;
	slice_hook(vm, true);
	if (vm->inner)
		sim_interrupt(vm->inner, why);
	uv_async_send(&script->wake);
}

/* Once: what does not listen is ended by the next one. */
static void on_interrupt(int number, siginfo_t *info, void *context)
{
	int code = errno;

	(void)info;
	(void)context;
	signal(number, SIG_DFL);
	if (running)
		stop(running, INTERRUPTED);
	errno = code;
}

/* A loop around pcall catches each error, and C sees none: it is better that all ends than that all
 * hangs. */
static void give_up(const struct script *script)
{
	static const char end[] = ", and does not end: all is given up\n";

	(void)!write(STDERR_FILENO, script->late, strlen(script->late));
	(void)!write(STDERR_FILENO, end, sizeof end - 1);
	_exit(EXIT_FAILED);
}

static void on_deadline(int number, siginfo_t *info, void *context)
{
	int code = errno;

	(void)number;
	(void)context;
	if (running && info->si_code == SI_TIMER && running->late[0] &&
	    running->vm->slice.stop != INTERRUPTED) {
		if (++running->late_ticks > LATE_TICKS)
			give_up(running);
		stop(running, LATE);
	}
	errno = code;
}

/* Of a connection it is an error to whoever writes. But whoever writes to a pipe that nobody reads
 * any more, `luvd lua x | head`, ends as under lua; and a handler, unlike SIG_IGN, is nothing that
 * the script's children inherit. */
static void on_pipe(int number, siginfo_t *info, void *context)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	int code = errno;

	(void)info;
	(void)context;
	if (poll(&out, 1, 0) == 1 && (out.revents & POLLERR)) {
		signal(number, SIG_DFL);
		raise(number); /* comes when the handler has returned */
	}
	errno = code;
}

/* --- in the loop, and in Lua --- */

static void on_wake(uv_async_t *wake)
{
	uv_stop(wake->loop);
}

void script_raise_stop(lua_State *L)
{
	struct vm *vm = vm_of(L);
	int why = vm->slice.stop;

	if (why == 0)
		return;
	/* Whoever else runs is only in the way of the main flow. */
	if (!vm->current || vm->current->main)
		vm->slice.stop = 0;
	luaL_error(L, "%s", why == LATE ? vm->script->late : "interrupted!");
}

/* --- the deadline --- */

static void write_late(struct script *script, int64_t duration)
{
	FILE *out = fmemopen(script->late, sizeof script->late, "w");

	if (!out)
		return;
	fputs("took longer than ", out);
	text_duration(out, duration);
	fclose(out);
}

/* Again each second: the first error may end in a pcall. */
static struct itimerspec timer_of(int64_t duration)
{
	struct itimerspec when = {.it_interval = {.tv_sec = 1}};

	if (duration == 0)
		return (struct itimerspec){0};
	when.it_value =
	    (struct timespec){.tv_sec = duration / SECOND, .tv_nsec = duration % SECOND * 1000000};
	return when;
}

int script_deadline(struct script *script, int64_t duration)
{
	const struct itimerspec none = {0}, when = timer_of(duration);

	if (!script->has_timer) {
		if (duration == 0)
			return 0;
		if (sys_signal_handle(number_of_deadline(), on_deadline) < 0 ||
		    sys_thread_timer(number_of_deadline(), &script->timer) < 0)
			return -1;
		script->has_timer = true;
	}
	timer_settime(script->timer, 0, &none, NULL);
	script->late_ticks = 0;
	script->late[0] = '\0'; /* a tick that is under way finds nothing to do */
	if (script->vm->slice.stop == LATE)
		script->vm->slice.stop = 0;
	if (duration == 0)
		return 0;
	write_late(script, duration);
	return timer_settime(script->timer, 0, &when, NULL);
}

/* --- making and taking down --- */

void script_stop_open(struct script *script)
{
	uv_async_init(&script->loop, &script->wake, on_wake);
	script->wake.data = script;
	uv_unref((uv_handle_t *)&script->wake);
	script->vm->handles++;
	running = script;
	(void)sys_signal_handle(SIGINT, on_interrupt);
	(void)sys_signal_handle(SIGPIPE, on_pipe);
}

void script_stop_renew(struct script *script)
{
	script->vm->slice.stop = 0;
	(void)sys_signal_handle(SIGINT, on_interrupt);
}

void script_stop_close(struct script *script)
{
	if (running != script)
		return;
	(void)signal(SIGINT, SIG_DFL);
	running = NULL;
	if (script->has_timer)
		timer_delete(script->timer);
	script->has_timer = false;
	script->vm->slice.stop = 0;
}
