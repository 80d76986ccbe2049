#include "service/script_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "service/server.h"
#include "service/vm.h"
#include "service/vm_close.h"

static void on_closed(uv_handle_t *handle)
{
	struct script *script = handle->data;

	script->vm->handles--;
}

size_t script_close(struct script *script)
{
	struct vm *vm = script->vm;
	size_t left;

	vm->phase = PHASE_CLOSED;
	flow_finish(&script->flow);
	script_stop_close(script);
	vm_close_handle(vm, (uv_handle_t *)&script->wake, on_closed);
	left = vm_shut(vm, &script->beat);
	vm_close_handle(vm, (uv_handle_t *)&script->beat, on_closed);
	while (vm->handles > 0)
		uv_run(vm->loop, UV_RUN_NOWAIT);
	servers_free(vm);
	return left;
}

/* Lua may be anywhere, in a callback of the loop too: it is not run again then. */
void script_exit(lua_State *L, int code, bool close)
{
	struct vm *vm = vm_of(L);
	struct flow_rest rest;

	if (close && vm->current == &vm->script->flow.task) {
		flow_rest(vm, &rest);
		script_close(vm->script);
	}
	if (close) {
		vm->phase = PHASE_CLOSED;
		lua_close(vm->L);
	}
	exit(code);
}
