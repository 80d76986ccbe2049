#include "service/handle.h"

#include "service/vm.h"

/* Failures that nobody has asked for. */

enum { TELL_WITHIN = 1000 }; /* milliseconds until one is logged */

void handle_tell(struct handle *handle)
{
	handle->told = true;
	list_remove(&handle->waiters);
	luaL_unref(handle->vm->L, LUA_REGISTRYINDEX, handle->reference);
	handle->reference = LUA_NOREF;
}

/* Outside of calls of Lua as well: nothing here allocates. */
static void log_untold(struct handle *handle)
{
	struct log_field field = {.key = "task", .bytes = "task", .length = 4};
	lua_State *L = handle->vm->L;

	handle->vm->failed++;
	lua_checkstack(L, 2);
	lua_rawgeti(L, LUA_REGISTRYINDEX, handle->reference);
	lua_getiuservalue(L, -1, HANDLE_MESSAGE);
	vm_log_failure(handle->vm, lua_tostring(L, -1), &field, 1);
	lua_pop(L, 2);
	handle_tell(handle);
}

static void on_untold(struct alarm *alarm)
{
	struct vm *vm = LIST_ENTRY(alarm, struct vm, untold_alarm);

	while (!list_empty(&vm->untold)) {
		struct handle *handle = LIST_ENTRY(vm->untold.next, struct handle, waiters);

		if (handle->due > vm_now(vm)) {
			alarm_set(&vm->alarms, alarm, handle->due);
			return;
		}
		log_untold(handle);
	}
}

void handles_init(struct vm *vm)
{
	list_init(&vm->untold);
	alarm_init(&vm->alarms, &vm->untold_alarm, on_untold);
}

void handles_flush(struct vm *vm)
{
	while (!list_empty(&vm->untold))
		log_untold(LIST_ENTRY(vm->untold.next, struct handle, waiters));
	alarm_clear(&vm->alarms, &vm->untold_alarm);
}

/* A waiter that has been woken may be cancelled before it runs, so even then the clock starts. */
void handle_wait_for_listener(struct handle *handle)
{
	struct vm *vm = handle->vm;

	handle->due = vm_now(vm) + TELL_WITHIN;
	if (list_empty(&vm->untold))
		alarm_set(&vm->alarms, &vm->untold_alarm, handle->due);
	list_append(&vm->untold, &handle->waiters);
}

void handle_log(struct handle *handle)
{
	if (handle->outcome == OUTCOME_FAILED && !handle->told)
		log_untold(handle);
}
