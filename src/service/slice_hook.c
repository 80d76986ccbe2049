#include "service/slice.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/task.h"
#include "service/vm.h"

enum {
	IN_C = 10000000, /* nanoseconds from the tick to the hook, when Lua was not what ran */
	FIRST_GRACE = 10000
};

static void on_hook(lua_State *L, lua_Debug *call);

bool slice_due(const struct slice *slice)
{
	return slice->stop || slice->overdue == slice->run ||
	       (slice->late == slice->run && slice->told != slice->run);
}

/* --- hooks on and off --- */

/* Instructions until the error comes again: time for a pcall to answer somebody, then less and
 * less, so that a loop around pcall ends in the end. */
static int grace_of(const struct slice *slice)
{
	int grace = FIRST_GRACE;

	if (slice->overdue != slice->run || slice->raised == 0)
		return 1;
	for (int i = 1; i < slice->raised && grace > 1; i++)
		grace /= 10;
	return grace;
}

static void hook_frame(struct frame *frame, int count, bool again)
{
	lua_State *L = frame->L;
	lua_Hook hook = lua_gethook(L);

	if (hook == on_hook) {
		if (again)
			lua_sethook(L, on_hook, LUA_MASKCOUNT, 1);
		return;
	}
	frame->hook = hook;
	frame->mask = lua_gethookmask(L);
	frame->count = lua_gethookcount(L);
	frame->hooked = true;
	lua_sethook(L, on_hook, LUA_MASKCOUNT, count);
}

void slice_hook(struct vm *vm, bool again)
{
	int count = grace_of(&vm->slice);

	if (!slice_due(&vm->slice)) {
		vm->slice.hooks = false;
		return;
	}
	for (struct frame *frame = vm->frame; frame; frame = frame->below)
		hook_frame(frame, count, again);
}

static void unhook_frame(struct frame *frame)
{
	frame->hooked = false;
	if (lua_gethook(frame->L) == on_hook)
		lua_sethook(frame->L, frame->hook, frame->mask, frame->count);
}

static void unhook_all(struct vm *vm)
{
	vm->slice.hooks = false;
	for (struct frame *frame = vm->frame; frame; frame = frame->below)
		if (frame->hooked)
			unhook_frame(frame);
}

/* --- the line in the log --- */

static void tell(struct vm *vm, const char *trace)
{
	struct slice *slice = &vm->slice;
	struct log_field field = {.key = "task"};
	const char *name = vm->current ? vm->current->name : "callback";
	int64_t now = slice_clock();
	bool was_in_c = now - slice->late_at > IN_C;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	slice->told = slice->run;
	if (!out)
		return;
	fputs("Lua has run for ", out);
	text_duration(out, (now - slice->seen_at) / 1000000);
	fprintf(out, " without giving way%s (lua.slice)", was_in_c ? ", was in C" : "");
	fprintf(out, "%s%s", *trace ? "\n" : "", trace);
	fclose(out);
	field.bytes = name;
	field.length = strlen(name);
	if (text)
		vm_log(vm, LEVEL_WARN, text, &field, 1);
	free(text);
}

/* The coroutine that runs, then those that have resumed it. */
static int trace(lua_State *L)
{
	const struct frame *frame = vm_of(L)->frame;
	const lua_State *last = L;

	luaL_traceback(L, L, NULL, 1);
	for (; frame; frame = frame->below) {
		if (frame->L == last)
			continue;
		last = frame->L;
		luaL_checkstack(L, 4, NULL);
		lua_pushliteral(L, "\nresumed by:");
		luaL_traceback(L, frame->L, NULL, 0);
		lua_pushstring(L, lua_tostring(L, -1) + strlen("stack traceback:"));
		lua_replace(L, -2);
		lua_concat(L, 3);
	}
	return 1;
}

static void tell_here(lua_State *L, struct vm *vm)
{
	bool explaining = vm->explaining;

	vm->explaining = true; /* a full heap must not hide who filled it */
	lua_pushcfunction(L, trace);
	if (lua_pcall(L, 0, 1, 0) == LUA_OK)
		tell(vm, lua_tostring(L, -1));
	else
		tell(vm, "(not enough memory for its traceback)");
	lua_pop(L, 1);
	vm->explaining = explaining;
}

/* --- the hook --- */

static void raise_abort(lua_State *L, struct vm *vm)
{
	struct slice *slice = &vm->slice;
	int count;

	slice->raised = slice->raised + 1;
	count = grace_of(slice);
	for (struct frame *frame = vm->frame; frame; frame = frame->below)
		if (lua_gethook(frame->L) == on_hook)
			lua_sethook(frame->L, on_hook, LUA_MASKCOUNT, count);
	luaL_where(L, 0);
	lua_pushfstring(L, "aborted: Lua has run for %s without giving way (lua.abort)",
			slice->abort_text);
	lua_concat(L, 2);
	lua_error(L);
}

/* A coroutine that was made while its maker was hooked has the hook too, maybe for a later run.
 *
 * What it cannot end, beside C: finalizers, and a <close> value of a coroutine that its error has
 * ended, for Lua runs both without hooks. Those are for the watchdog. */
static void on_hook(lua_State *L, lua_Debug *call)
{
	struct vm *vm = vm_of(L);
	struct slice *slice = &vm->slice;

	(void)call;
	slice->fired = true;
	if (slice->late == slice->run && slice->told != slice->run)
		tell_here(L, vm);
	if (slice->overdue == slice->run)
		raise_abort(L, vm);
	unhook_all(vm);
	if (slice->stop)
		slice->raise_stop(L);
	if (lua_gethook(L) == on_hook)
		lua_sethook(L, NULL, 0, 0);
}

void slice_unhook(struct vm *vm, struct frame *frame)
{
	struct slice *slice = &vm->slice;

	unhook_frame(frame);
	if (vm->running > 0)
		return;
	slice->hooks = false;
	/* It was in C until its end: no instruction of Lua has come to the hook. */
	if (slice->late == slice->run && slice->told != slice->run)
		tell(vm, "");
}
