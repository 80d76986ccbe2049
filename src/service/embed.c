#include "service/embed.h"

#include <stdlib.h>

#include "service/task.h"
#include "service/vm.h"

/* Not resumed from here: we may be inside of the simulation's loop, which its Lua would enter. */
static void wake_all(struct link *tasks)
{
	while (!list_empty(tasks))
		task_wake_later(LIST_ENTRY(tasks->next, struct task, queued));
}

void embed_changed(void *data)
{
	struct embed *embed = data;

	embed->told++;
	wake_all(&embed->waiters);
}

/* --- the handles --- */

static void on_timer(uv_timer_t *timer)
{
	embed_settle(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	embed_settle(poll->data);
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* the loop does not wait */
}

static void on_check(uv_check_t *check)
{
	struct embed *embed = check->data;

	uv_idle_stop(&embed->idle);
	uv_check_stop(check);
	wake_all(&embed->turners);
}

void embed_turn(struct embed *embed, struct task *task)
{
	list_append(&embed->turners, &task->queued);
	uv_idle_start(&embed->idle, on_idle);
	uv_check_start(&embed->check, on_check);
}

/* What luv and c-ares wait for in the simulation is the real clock's. */
static void set_timer(struct embed *embed)
{
	int timeout = sim_timeout(embed->sim);

	if (timeout > 0)
		uv_timer_start(&embed->timer, on_timer, (uint64_t)timeout, 0);
	else
		uv_timer_stop(&embed->timer);
}

bool embed_settle(struct embed *embed)
{
	bool ran;

	embed->vm->inner = embed->sim;
	ran = sim_settle(embed->sim);
	embed->vm->inner = NULL;
	set_timer(embed);
	if (ran) {
		embed->told++;
		wake_all(&embed->waiters);
	}
	return ran;
}

bool embed_step(struct embed *embed, uint64_t until)
{
	bool rang;

	embed->vm->inner = embed->sim;
	rang = sim_step(embed->sim, until);
	embed->vm->inner = NULL;
	embed_settle(embed);
	return rang;
}

void embed_signal(struct embed *embed, int number)
{
	embed->vm->inner = embed->sim;
	sim_signal(embed->sim, number);
	embed->vm->inner = NULL;
}

/* --- making and taking down --- */

static void on_closed(uv_handle_t *handle)
{
	struct embed *embed = handle->data;

	embed->vm->handles--;
	if (--embed->open == 0)
		free(embed);
}

static void add(struct embed *embed, uv_handle_t *handle)
{
	handle->data = embed;
	uv_unref(handle);
	embed->open++;
	embed->vm->handles++;
}

struct embed *embed_create(struct vm *vm)
{
	struct embed *embed = calloc(1, sizeof *embed);

	if (!embed)
		return NULL;
	embed->vm = vm;
	list_init(&embed->turners);
	list_init(&embed->waiters);
	uv_timer_init(vm->loop, &embed->timer);
	uv_idle_init(vm->loop, &embed->idle);
	uv_check_init(vm->loop, &embed->check);
	add(embed, (uv_handle_t *)&embed->timer);
	add(embed, (uv_handle_t *)&embed->idle);
	add(embed, (uv_handle_t *)&embed->check);
	uv_ref((uv_handle_t *)&embed->idle); /* somebody waits for it */
	return embed;
}

int embed_begin(struct embed *embed, struct sim *sim)
{
	int code = uv_poll_init(embed->vm->loop, &embed->poll, sim_fd(sim));

	if (code < 0)
		return code;
	embed->sim = sim;
	add(embed, (uv_handle_t *)&embed->poll);
	uv_poll_start(&embed->poll, UV_READABLE, on_poll);
	return 0;
}

void embed_close(struct embed *embed)
{
	struct vm *vm = embed->vm;

	wake_all(&embed->waiters);
	wake_all(&embed->turners);
	if (embed->sim) {
		uv_poll_stop(&embed->poll); /* before its descriptor goes */
		vm_close_handle(vm, (uv_handle_t *)&embed->poll, on_closed);
		sim_destroy(embed->sim);
		embed->sim = NULL;
	}
	vm_close_handle(vm, (uv_handle_t *)&embed->timer, on_closed);
	vm_close_handle(vm, (uv_handle_t *)&embed->idle, on_closed);
	vm_close_handle(vm, (uv_handle_t *)&embed->check, on_closed);
}
