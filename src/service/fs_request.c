#include "service/fs_request.h"

#include "service/vm.h"

static void start(struct fs_request *request);

void fs_lane_init(struct fs_lane *lane)
{
	list_init(&lane->waiting);
	lane->busy = false;
}

void fs_requests_init(struct vm *vm)
{
	list_init(&vm->fs.queue);
	list_init(&vm->fs.run);
}

static struct fs_request *take_first(struct link *list)
{
	struct fs_request *request = LIST_ENTRY(list->next, struct fs_request, queued);

	list_remove(&request->queued);
	return request;
}

static void leave_lane(struct fs_lane *lane)
{
	if (!lane)
		return;
	lane->busy = false;
	if (!list_empty(&lane->waiting))
		start(take_first(&lane->waiting));
}

/* The lane may go with the request: it is left first. */
static void finish(struct fs_request *request)
{
	request->vm->fs.pending--;
	request->state = FS_DONE;
	leave_lane(request->lane);
	if (request->done && !fs_request_is_dropped(request))
		request->done(request);
	else
		request->release(request);
}

/* --- the pool --- */

static void on_work(uv_work_t *work)
{
	struct fs_request *request = work->data;

	if (request->certain || !fs_request_is_dropped(request))
		request->run(request);
}

static void enter_pool(struct fs_request *request);

static void on_worked(uv_work_t *work, int status)
{
	struct fs_request *request = work->data;
	struct vm *vm = request->vm;

	vm->fs.in_pool--;
	if (!list_empty(&vm->fs.queue))
		enter_pool(take_first(&vm->fs.queue));
	if (status < 0)
		request->result = status;
	finish(request);
}

/* --- while the clock is held --- */

/* Nobody waits for a thread in a simulation: a day in it may have thousands of requests, and no two
 * of them run in another order the next time. */
static void on_told(struct alarm *alarm)
{
	struct vm *vm = LIST_ENTRY(alarm, struct vm, fs.told);

	if (!list_empty(&vm->fs.run))
		on_worked(&take_first(&vm->fs.run)->work, 0);
	if (!list_empty(&vm->fs.run))
		alarm_set(&vm->alarms, &vm->fs.told, vm_now(vm));
}

static void run_at_once(struct fs_request *request)
{
	struct vm *vm = request->vm;

	on_work(&request->work);
	list_append(&vm->fs.run, &request->queued);
	alarm_init(&vm->alarms, &vm->fs.told, on_told);
	alarm_set(&vm->alarms, &vm->fs.told, vm_now(vm));
}

void fs_requests_end(struct vm *vm)
{
	while (!list_empty(&vm->fs.run))
		on_worked(&take_first(&vm->fs.run)->work, 0);
}

static void enter_pool(struct fs_request *request)
{
	struct vm *vm = request->vm;

	vm->fs.in_pool++;
	request->state = FS_IN_POOL;
	request->work.data = request;
	if (vm->clock.held)
		run_at_once(request);
	else
		uv_queue_work(vm->loop, &request->work, on_work, on_worked);
}

static void start(struct fs_request *request)
{
	struct vm *vm = request->vm;

	if (request->lane)
		request->lane->busy = true;
	if (vm->fs.in_pool < FS_IN_POOL_MAX) {
		enter_pool(request);
		return;
	}
	request->state = FS_IN_QUEUE;
	list_append(&vm->fs.queue, &request->queued);
}

/* --- public --- */

void fs_request_submit(struct vm *vm, struct fs_request *request)
{
	request->vm = vm;
	list_init(&request->queued);
	if (vm->fs.over) {
		request->run(request);
		request->release(request);
		return;
	}
	vm->fs.pending++;
	if (request->lane && request->lane->busy) {
		request->state = FS_IN_LANE;
		list_append(&request->lane->waiting, &request->queued);
		return;
	}
	start(request);
}

static void withdraw(struct fs_request *request)
{
	struct fs_lane *lane = request->state == FS_IN_QUEUE ? request->lane : NULL;

	list_remove(&request->queued);
	request->vm->fs.pending--;
	leave_lane(lane);
	request->release(request);
}

void fs_request_drop(struct fs_request *request)
{
	atomic_store(&request->dropped, true);
	if (request->state == FS_NEW || request->state == FS_DONE)
		request->release(request);
	else if (request->state == FS_IN_POOL && request->vm->clock.held)
		; /* it has run */
	else if (request->state == FS_IN_POOL && !request->certain)
		uv_cancel((uv_req_t *)&request->work); /* a thread that has it goes on */
	else if (request->state != FS_IN_POOL && !request->certain)
		withdraw(request);
}

bool fs_request_is_dropped(struct fs_request *request)
{
	return atomic_load(&request->dropped);
}
