#include "service/script_state.h"

#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <stdlib.h>

#include "service/vm.h"
#include "sys/sys.h"

/* What ends a script from outside, wherever it is: in Lua, which gets a hook that raises, or in
 * the loop, which is woken. */

enum { INTERRUPTED = 1, LATE };

/* The one global: what the handlers must reach. */
static struct script *volatile running;

/* --- the handlers: async-signal-safe calls only, and lua_sethook --- */

static void stop(struct script *script, int why)
{
	struct vm *vm = script->vm;

	vm->slice.stop = why;
	vm->slice.hooks = true;
	slice_hook(vm, true);
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
	luaL_error(L, "interrupted!");
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
}

void script_stop_close(struct script *script)
{
	if (running != script)
		return;
	(void)signal(SIGINT, SIG_DFL);
	running = NULL;
}
