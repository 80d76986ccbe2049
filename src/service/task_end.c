#include "service/task_state.h"

#include <string.h>

#include "service/explain.h"
#include "service/group.h"
#include "service/vm.h"

/* A tree of tasks is cancelled from the inside out, each in its turn. */
enum { CANCEL_DEPTH_MAX = 2 * TASK_DEPTH_MAX };

void task_log_failure(struct task *task, const char *message)
{
	struct log_field field = {.key = "task", .bytes = task->name, .length = strlen(task->name)};

	vm_log_failure(task->vm, message, &field, 1);
}

/* --- the end --- */

/* Still among its siblings while done is told, so that the parent cannot end meanwhile. */
static void settle(struct task *task, enum outcome outcome, const char *message)
{
	struct vm *vm = task->vm;

	task->state = TASK_ENDED;
	list_remove(&task->queued);
	vm->task_count--;
	if (task->extra)
		groups_disown(&task->extra->groups);
	if (outcome == OUTCOME_FAILED)
		vm->failed++;
	if (task->done)
		task->done(task, outcome, message);
	else if (outcome == OUTCOME_FAILED)
		task_log_failure(task, message);
	list_remove(&task->sibling);
	task_release(task, outcome == OUTCOME_DONE);
}

/* A parent that waited for this child only ends with it, and so on up the tree. */
static void finish(struct task *task, enum outcome outcome, const char *message)
{
	while (list_empty(&task->children)) {
		struct task *parent = task->parent;

		settle(task, outcome, message);
		if (!parent || parent->state != TASK_ENDING || parent->closing)
			return;
		task = parent;
		outcome = parent->outcome;
		message = NULL;
	}
	task->state = TASK_ENDING;
	task->outcome = outcome;
}

/* --- closing --- */

/* Is the error on top of co the one that ended it (kept on the main thread)? */
static bool is_known(struct vm *vm, lua_State *co, int known)
{
	bool same;

	if (known == 0 || !lua_checkstack(co, 1) || !lua_checkstack(vm->L, 1))
		return known != 0;
	lua_pushvalue(co, -1);
	lua_xmove(co, vm->L, 1);
	same = lua_rawequal(vm->L, -1, known);
	lua_pop(vm->L, 1);
	return same;
}

/* Runs the <close> values of a suspended or failed coroutine; an error in one is logged. known:
 * where the error of the task itself is on the main thread's stack; 0: it has none. */
static void close_thread(struct task *task, lua_State *co, int known)
{
	struct vm *vm = task->vm;
	struct frame frame;
	int status;

	frame_push(vm, &frame, co);
	status = lua_resetthread(co);
	frame_pop(vm, &frame);
	if (status == LUA_OK || lua_gettop(co) == 0)
		return;
	if (is_known(vm, co, known)) {
		lua_pop(co, 1);
		return;
	}
	vm->failed++;
	task_log_failure(task, explain_error(vm, co));
	lua_pop(vm->L, 1);
}

/* Innermost first, as an error would have unwound them. */
static void close_threads(struct task *task, int known)
{
	struct vm *vm = task->vm;
	struct task *before = vm->current;
	struct task_extra *extra = task->extra;
	size_t count = extra ? extra->passed_count : 0;
	struct frame frame;

	vm->current = task;
	vm_enter(vm, &frame, task->L);
	for (size_t i = 0; i < count; i++)
		close_thread(task, extra->passed[i], known);
	if (extra)
		extra->passed_count = 0;
	close_thread(task, task->L, known);
	vm_leave(vm, &frame);
	vm->current = before;
}

/* --- how it ends --- */

/* NULL: those that are left are being closed already, or run now. */
static struct task *last_child(struct task *task)
{
	struct link *link = task->children.prev;

	for (; link != &task->children; link = link->prev) {
		struct task *child = LIST_ENTRY(link, struct task, sibling);

		if (child->state != TASK_ENDED && !child->closing && !child->doomed)
			return child;
	}
	return NULL;
}

static void cancel_children(struct task *task)
{
	struct task *child;

	while ((child = last_child(task)))
		task_cancel(child);
}

void task_return(struct task *task)
{
	if (task->doomed) {
		task->closing = true;
		cancel_children(task);
		task->closing = false;
	}
	finish(task, OUTCOME_DONE, NULL);
}

void task_fail(struct task *task)
{
	struct vm *vm = task->vm;
	lua_State *L = vm->L;
	const char *message;

	lua_checkstack(L, 3);
	lua_checkstack(task->L, 1);
	lua_pushvalue(task->L, -1);
	lua_xmove(task->L, L, 1);
	message = explain_error(vm, task->L);
	task->closing = true;
	cancel_children(task); /* none runs now, so none is left */
	close_threads(task, lua_gettop(L) - 1);
	task->closing = false;
	lua_checkstack(task->L, 1);
	lua_pushvalue(L, -2);
	lua_xmove(L, task->L, 1);
	finish(task, OUTCOME_FAILED, message);
	lua_pop(L, 2);
}

void task_close(struct task *task)
{
	bool suspended = task->state != TASK_ENDING;

	task->doomed = true;
	task->closing = true;
	if (suspended)
		task_stop_waiting(task);
	cancel_children(task);
	if (suspended)
		close_threads(task, 0);
	task->closing = false;
	finish(task, OUTCOME_CANCELLED, NULL);
}

/* Tasks whose <close> values cancel the next one would fill the C stack. */
static void put_off(struct task *task)
{
	task->doomed = true;
	task_stop_waiting(task);
	list_append(&task->vm->doomed, &task->queued);
}

static void close_doomed(struct vm *vm)
{
	while (!list_empty(&vm->doomed)) {
		struct task *task = LIST_ENTRY(vm->doomed.next, struct task, queued);

		list_remove(&task->queued);
		task_close(task);
	}
}

static void close_now(struct task *task)
{
	struct vm *vm = task->vm;

	vm->cancelling++;
	task_close(task);
	if (vm->cancelling == 1)
		close_doomed(vm);
	vm->cancelling--;
}

void task_cancel(struct task *task)
{
	const struct vm *vm = task->vm;

	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it does not see that finish unlinks */
	if (task->state == TASK_ENDED || task->closing || task->doomed)
		return;
	if (task->state == TASK_RUNNING)
		task->doomed = true;
	else if (vm->cancelling == CANCEL_DEPTH_MAX)
		put_off(task);
	else
		close_now(task);
}
