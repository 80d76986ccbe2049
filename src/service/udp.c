#include "service/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "service/listener.h"
#include "service/server.h"
#include "service/task.h"
#include "service/task_state.h"
#include "service/vm.h"

enum {
	AGAIN = 1000,       /* milliseconds until a handler that takes nothing is called again */
	DATAGRAM_COST = 512 /* bytes of the kernel's buffer that the smallest one takes, at least */
};

/* --- the loop --- */

static void start_handler(struct udp *udp);

static void wake_writers(struct udp *udp)
{
	while (!list_empty(&udp->writers))
		task_wake_later(LIST_ENTRY(udp->writers.next, struct task, queued));
}

static void wake_all(struct udp *udp)
{
	if (udp->reader)
		task_wake_later(udp->reader);
	wake_writers(udp);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct udp *udp = poll->data;

	if (status < 0) { /* the next call reads the error; libuv has stopped watching */
		events = UV_READABLE | UV_WRITABLE;
		udp->events = 0;
	}
	udp->taken = 0;
	if (!udp->task && !alarm_is_set(&udp->again) && events & UV_READABLE)
		start_handler(udp);
	if (events & UV_WRITABLE)
		wake_writers(udp);
	if (events & UV_READABLE && udp->reader)
		task_wake(udp->reader);
	if (udp->open)
		udp_watch(udp);
}

/* Readable is watched for on and on while the handler asks for one datagram after the other: no
 * system call for that. */
void udp_watch(struct udp *udp)
{
	bool wanted = udp->reader || (!udp->task && !alarm_is_set(&udp->again));
	int events = wanted ? UV_READABLE : 0;

	if (!list_empty(&udp->writers))
		events |= UV_WRITABLE;
	if (!udp->open || events == udp->events)
		return;
	udp->events = events;
	if (events)
		uv_poll_start(&udp->poll, events, on_poll);
	else
		uv_poll_stop(&udp->poll);
}

/* --- the handler --- */

static void start_handler(struct udp *udp);

static void on_again(struct alarm *alarm)
{
	struct udp *udp = LIST_ENTRY(alarm, struct udp, again);

	if (udp->called)
		udp_watch(udp);
	else
		start_handler(udp);
}

/* One datagram that the handler could not stand must not make it deaf. When it has not taken any,
 * the one that waits would call it again at once, and so on. */
static void failed(struct udp *udp)
{
	struct vm *vm = udp->vm;

	wake_all(udp); /* other tasks: theirs is closed */
	if (udp->received == udp->before)
		alarm_set(&vm->alarms, &udp->again, vm_now(vm) + AGAIN);
	udp_watch(udp);
}

static void returned(struct udp *udp, enum outcome outcome)
{
	if (outcome == OUTCOME_DONE && udp->open && !udp->stopping)
		vm_printf(udp->vm, LEVEL_WARN,
			  "the handler of '%s' has returned: its datagrams are not taken any more",
			  udp->listener->listen->name);
	udp_finish(udp);
}

/* What Lua still has of a handler that has ended, or not begun, is closed for it. */
static void forget_box(struct udp *udp)
{
	if (udp->box)
		*udp->box = NULL;
	udp->box = NULL;
}

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct vm *vm = task->vm;
	struct udp *udp = task->data;

	if (outcome == OUTCOME_FAILED)
		task_log_failure(task, message);
	if (udp) {
		udp->task = NULL;
		forget_box(udp);
		if (outcome == OUTCOME_FAILED && udp->open && !udp->stopping)
			failed(udp);
		else
			returned(udp, outcome);
	}
	server_handler_ended(vm);
}

static int begin_handler(lua_State *L)
{
	struct udp *udp = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, udp->handler);
	udp_push(L, udp);
	udp->task = task_create(L, 1, "datagrams");
	udp->task->data = udp;
	udp->task->done = on_done;
	udp->vm->handlers++;
	return 0;
}

/* run: task_start, or task_queue where no Lua may run yet. */
static void call_handler(struct udp *udp, void (*run)(struct task *task))
{
	struct vm *vm = udp->vm;

	udp->called = true;
	udp->before = udp->received;
	if (vm_run(vm, begin_handler, udp) == LUA_OK) {
		run(udp->task);
		return;
	}
	vm->failed++;
	vm_log_failure(vm, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
	forget_box(udp);
	failed(udp); /* memory is out: it may come back */
}

static void start_handler(struct udp *udp)
{
	call_handler(udp, task_start);
}

/* --- the end --- */

static void release(struct udp *udp)
{
	struct vm *vm = udp->vm;

	luaL_unref(vm->L, LUA_REGISTRYINDEX, udp->handler);
	luaL_unref(vm->L, LUA_REGISTRYINDEX, udp->entry);
	if (udp->task)
		udp->task->data = NULL;
	forget_box(udp);
	list_remove(&udp->all);
	free(udp);
}

static void on_closed(uv_handle_t *handle)
{
	struct udp *udp = handle->data;

	udp->vm->handles--;
	release(udp);
}

void udp_finish(struct udp *udp)
{
	if (!udp->open)
		return;
	udp->open = false;
	uv_poll_stop(&udp->poll);
	close(udp->fd);
	udp->fd = -1;
	alarm_clear(&udp->vm->alarms, &udp->again);
	wake_all(udp);
	vm_close_handle(udp->vm, (uv_handle_t *)&udp->poll, on_closed);
}

/* --- making one --- */

static int begin(struct udp *udp)
{
	int code;

	udp->fd = fcntl(udp->listener->fd, F_DUPFD_CLOEXEC, 0);
	if (udp->fd < 0)
		return uv_translate_sys_error(errno);
	code = uv_poll_init(udp->vm->loop, &udp->poll, udp->fd);
	if (code < 0) {
		close(udp->fd);
		return code;
	}
	udp->poll.data = udp;
	udp->vm->handles++;
	udp->open = udp->begun = true;
	return 0;
}

/* Opens those that are not, and has their handlers begin: at once, or in the next turn of the loop.
 */
static int begin_all(struct vm *vm, bool at_once)
{
	struct link *link = vm->udps.next;
	int code = 0;

	while (link != &vm->udps && code == 0) {
		struct udp *udp = LIST_ENTRY(link, struct udp, all);
		bool begun = udp->begun;

		if (!begun)
			code = begin(udp);
		if (!begun && code == 0 && at_once)
			start_handler(udp);
		else if (!begun && code == 0)
			alarm_set(&vm->alarms, &udp->again, vm_now(vm));
		link = link->next;
		if (code < 0)
			release(udp);
	}
	return code;
}

static struct udp *make(lua_State *L, struct listener *listener, int entry, int handler)
{
	struct vm *vm = vm_of(L);
	struct udp *udp;
	int handler_ref, entry_ref;

	lua_pushvalue(L, handler);
	handler_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pushvalue(L, entry);
	entry_ref = luaL_ref(L, LUA_REGISTRYINDEX);
	udp = calloc(1, sizeof *udp);
	if (!udp) {
		luaL_unref(L, LUA_REGISTRYINDEX, handler_ref);
		luaL_unref(L, LUA_REGISTRYINDEX, entry_ref);
		vm_raise(L, "not enough memory");
	}
	*udp = (struct udp){
	    .vm = vm, .listener = listener, .fd = -1, .handler = handler_ref, .entry = entry_ref};
	alarm_init(&vm->alarms, &udp->again, on_again);
	list_init(&udp->writers);
	list_append(&vm->udps, &udp->all);
	return udp;
}

bool udp_is(const struct vm *vm, const struct listener_object *object)
{
	size_t count;
	const struct listener *sockets = listener_sockets(vm, object, &count);

	return count > 0 && sockets[0].address->kind == ADDRESS_UDP;
}

bool udp_is_served(const struct vm *vm, const struct listen *listen)
{
	for (struct link *link = vm->udps.next; link != &vm->udps; link = link->next)
		if (LIST_ENTRY(link, struct udp, all)->listener->listen == listen)
			return true;
	return false;
}

void udp_serve(lua_State *L, int entry, int handler)
{
	const struct listener_object *object = listener_check(L, entry);
	const char *name = listener_name(object);
	struct vm *vm = vm_of(L);
	size_t count;
	struct listener *sockets = listener_sockets(vm, object, &count);
	int code = 0;

	if (vm->phase >= PHASE_STOPPING)
		vm_raise(L, "nothing can be served while the daemon is being stopped");
	if (object->own && object->own->closed)
		vm_raise(L, "listener \"%s\" is closed", name);
	if (count > 0 && udp_is_served(vm, sockets[0].listen))
		vm_raise(L, "listener \"%s\" is served already", name);
	for (size_t i = 0; i < count; i++)
		make(L, &sockets[i], entry, handler)->own = object->own != NULL;
	if (vm->phase == PHASE_RUNNING)
		code = begin_all(vm, true);
	if (code < 0)
		vm_raise(L, "cannot take datagrams for '%s': %s", name, uv_strerror(code));
}

/* --- all of them --- */

int udps_begin(struct vm *vm)
{
	return begin_all(vm, false);
}

/* Others may go on sending: no more is read than the kernel's buffer can hold. */
static size_t count_waiting(const struct udp *udp)
{
	socklen_t length = sizeof(int);
	int size;

	if (getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &size, &length) < 0)
		return 0;
	return (size_t)size / DATAGRAM_COST + 1;
}

static bool is_readable(const struct udp *udp)
{
	char byte;

	return recv(udp->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

/* The end of the service finds datagrams that came a moment before, and no handler yet that the
 * loop has called for them. */
void udp_end(struct vm *vm, const struct listen *listen)
{
	for (struct link *link = vm->udps.next, *next; link != &vm->udps; link = next) {
		struct udp *udp = LIST_ENTRY(link, struct udp, all);

		next = link->next;
		if (listen && udp->listener->listen != listen)
			continue;
		if (!udp->begun) {
			release(udp);
			continue;
		}
		if (!udp->open || udp->stopping)
			continue;
		udp->stopping = true;
		udp->left = count_waiting(udp);
		if (udp->reader)
			task_wake_later(udp->reader);
		if (!udp->task && !listen && is_readable(udp))
			call_handler(udp, task_queue);
		if (!udp->task)
			udp_finish(udp);
	}
}

void udps_close(struct vm *vm)
{
	struct link *link = vm->udps.next;

	while (link != &vm->udps) {
		struct udp *udp = LIST_ENTRY(link, struct udp, all);

		link = link->next;
		if (udp->open)
			udp_finish(udp);
		else if (!udp->begun)
			release(udp);
	}
}
