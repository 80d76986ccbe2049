#include "service/vm_close.h"

#include "service/console.h"
#include "service/fs_watch.h"
#include "service/lookup.h"
#include "service/server.h"
#include "service/task.h"
#include "service/timer.h"
#include "service/udp.h"
#include "service/uvlib.h"
#include "service/vm.h"

void vm_close_all(struct vm *vm)
{
	vm->phase = PHASE_CLOSED;
	tasks_cancel(vm);
	fs_requests_end(vm);
	evals_close(vm);
	timers_close(vm);
	fs_watchers_close(vm);
	servers_close(vm);
	udps_close(vm);
	lookups_close(vm);
	uvlib_close(vm);
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct vm *vm = handle->data;

	vm->handles--;
}

static void on_alarms_closed(uv_handle_t *handle)
{
	LIST_ENTRY((struct alarms *)handle->data, struct vm, alarms)->handles--;
}

static void on_nothing(uv_timer_t *timer)
{
	(void)timer;
}

size_t vm_shut(struct vm *vm, uv_timer_t *beat)
{
	uint64_t until = uv_hrtime() + UINT64_C(1000000000);
	size_t left = 0;

	vm_close_handle(vm, (uv_handle_t *)&vm->turn, on_idle_closed);
	vm_close_handle(vm, (uv_handle_t *)&vm->alarms.timer, on_alarms_closed);
	uv_timer_start(beat, on_nothing, 5, 5); /* no turn of the loop blocks longer */
	do {
		vm_close_all(vm);
		left = uvlib_close(vm);
		uv_run(vm->loop, UV_RUN_ONCE);
		left += vm->fs.pending;
	} while (vm->handles > 1 || (left > 0 && uv_hrtime() < until));
	return left;
}
