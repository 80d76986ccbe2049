#include "service/flow.h"

#include <stdlib.h>

#include "service/group.h"
#include "service/script_state.h"
#include "service/task_state.h"
#include "service/vm.h"

void flow_init(struct flow *flow, struct vm *vm)
{
	struct task *task = &flow->task;

	*flow = (struct flow){.task = {.vm = vm,
				       .name = "main",
				       .L = vm->L,
				       .reference = LUA_NOREF,
				       .state = TASK_RUNNING,
				       .outlived = true,
				       .main = true}};
	list_init(&task->sibling);
	list_init(&task->children);
	list_init(&task->queued);
}

/* Those of task.all and the like: what task.spawn starts belongs to nobody. */
static void cancel_children(struct flow *flow)
{
	const struct link *children = &flow->task.children;

	for (size_t count = flow->task.vm->task_count; count > 0 && !list_empty(children); count--)
		task_cancel(LIST_ENTRY(children->prev, struct task, sibling));
}

void flow_finish(struct flow *flow)
{
	struct task *task = &flow->task;

	cancel_children(flow);
	alarm_clear(&task->vm->alarms, &task->alarm);
	if (!task->extra)
		return;
	groups_disown(&task->extra->groups);
	free(task->extra->passed);
	free(task->extra);
	task->extra = NULL;
}

void flow_rest(struct vm *vm, struct flow_rest *rest)
{
	*rest = (struct flow_rest){vm->current, vm->frame, vm->running, vm->pinned};
	vm->current = NULL;
	vm->frame = NULL;
	vm->running = 0;
	vm->pinned = 0;
}

void flow_go_on(struct vm *vm, const struct flow_rest *rest)
{
	vm->current = rest->current;
	vm->frame = rest->frame;
	vm->running = rest->running;
	vm->pinned = rest->pinned;
}

/* Nobody waits for them any more. What stops the flow does not stop their <close> values; what
 * comes meanwhile does. */
static void abandon_children(struct flow *flow)
{
	struct slice *slice = &flow->task.vm->slice;
	int why = slice->stop;

	slice->stop = 0;
	cancel_children(flow);
	if (why && !slice->stop)
		slice->stop = why;
}

/* --- waiting --- */

void flow_begin(lua_State *L)
{
	vm_of(L)->script->flow.continuing = false;
}

static void run_until_woken(lua_State *L, struct flow *flow)
{
	struct vm *vm = flow->task.vm;
	struct flow_rest rest;
	int alive = 1;

	flow_rest(vm, &rest);
	while (flow->task.state == TASK_WAITING && alive && !vm->slice.stop) {
		alarms_rest(&vm->alarms);
		alive = uv_run(vm->loop, UV_RUN_ONCE);
	}
	flow_go_on(vm, &rest);
	alarm_clear(&vm->alarms, &flow->task.alarm);
	if (flow->task.state == TASK_WAITING || vm->slice.stop) {
		task_stop_waiting(&flow->task);
		flow->task.state = TASK_RUNNING;
		abandon_children(flow);
		script_raise_stop(L);
		vm_raise(L, "cannot wait: nothing is left that could end it");
	}
	flow->task.detach = NULL;
	flow->task.state = TASK_RUNNING;
}

/* What goes on may wait again, as often as there is something to read: in this loop, not ever
 * deeper on the C stack. */
int flow_wait(lua_State *L, lua_KContext context, lua_KFunction function)
{
	struct flow *flow = &vm_of(L)->script->flow;
	int count;

	flow->function = function;
	flow->context = context;
	flow->again = flow->continuing;
	if (flow->continuing)
		return 0;
	do {
		run_until_woken(L, flow);
		flow->again = false;
		flow->continuing = true;
		count = flow->function(L, LUA_YIELD, flow->context);
		flow->continuing = false;
	} while (flow->again);
	return count;
}
