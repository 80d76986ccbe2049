#include "service/life_state.h"

#include <string.h>

#include "service/console.h"
#include "service/fs_watch.h"
#include "service/lookup.h"
#include "service/object.h"
#include "service/server.h"
#include "service/service.h"
#include "service/task.h"
#include "service/timer.h"
#include "service/udp.h"
#include "service/uvlib.h"
#include "service/vm.h"
#include "service/vm_close.h"

void life_close_all(struct life *life)
{
	alarm_clear(&life->vm->alarms, &life->deadline);
	life->verb = NULL;
	vm_close_all(life->vm);
}

void life_cancel_rest(struct life *life)
{
	life->state = CLOSING;
	udp_end(life->vm, NULL);
	servers_end(life->vm);
	life_close_all(life);
	life_post(life, GONE);
}

void life_tell_stopped(struct life *life)
{
	life->state = STOPPED;
	life->calls.stopped(life->calls.data, life->code);
}

static int push_stop(lua_State *L)
{
	struct life *life = lua_touserdata(L, 1);

	if (!service_push(L, "stop"))
		return 0;
	object_push(L);
	lua_pushstring(L, life->reason);
	life->verb = task_create(L, 2, "stop");
	return 0;
}

void life_begin_stop(struct life *life)
{
	life->state = STOPPING;
	life->vm->phase = PHASE_STOPPING;
	timers_end(life->vm);
	udp_end(life->vm, NULL);
	fs_watchers_close(life->vm);
	servers_end(life->vm);
	life_set_deadline(life, life->vm->timeout_stop);
	life_run_verb(life, push_stop, "stop");
}

void life_drain(struct life *life)
{
	life->state = DRAINING;
	if (life->vm->connections == 0 && life->vm->handlers == 0)
		life_post(life, QUIET);
}

void life_drain_after_failure(struct life *life)
{
	char text[ERR_TEXT_MAX];

	err_text(&life->err, text, sizeof text);
	vm_log(life->vm, LEVEL_ERROR, text, NULL, 0);
	life_drain(life);
}

/* By another generation: the limit was another one. */
static bool is_followed(const struct life *life)
{
	return strcmp(life->reason, "reload") == 0 || strcmp(life->reason, "upgrade") == 0;
}

void life_give_up_waiting(struct life *life)
{
	const struct vm *vm = life->vm;

	vm_printf(life->vm, LEVEL_WARN,
		  "timeouts.%s is over%s: %zu connections and %zu tasks cut off",
		  is_followed(life) ? "drain" : "stop",
		  life->verb ? " and stop has not returned" : "", vm->connections, vm->task_count);
	life_cancel_rest(life);
}
