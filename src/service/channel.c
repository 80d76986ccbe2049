#include "service/channel.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "service/push.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.channel";

enum { CAPACITY_MAX = 1 << 20 };

/* The values are in the table that is its user value, at [head, head + count). That of a sender
 * that waits is still on its stack. */
struct channel {
	lua_Integer capacity, head, count;
	lua_Integer granted; /* of count: for receivers that are woken and have not run */
	bool closed;
	struct link senders, receivers; /* tasks that wait */
};

/* In the task that waits. */
struct call {
	struct channel *channel;
	lua_State *L; /* whose stack has the channel at 1, its table at 2, the value at 3 */
	bool granted; /* it has sent, or there is a value for it */
};

_Static_assert(sizeof(struct call) <= sizeof((struct task *)0)->call, "task.call is too small");

static struct call *call_of(struct task *task)
{
	return (struct call *)task->call;
}

static struct task *first(const struct link *list)
{
	return LIST_ENTRY(list->next, struct task, queued);
}

/* --- values --- */

/* Every value that is there and free goes to the next receiver. */
static void serve(struct channel *channel);

static void on_lost(struct task *task)
{
	struct channel *channel = call_of(task)->channel;

	channel->granted--;
	serve(channel);
}

static void serve(struct channel *channel)
{
	while (channel->count > channel->granted && !list_empty(&channel->receivers)) {
		struct task *task = first(&channel->receivers);

		channel->granted++;
		call_of(task)->granted = true;
		task_grant(task, on_lost);
	}
}

static bool has_room(const struct channel *channel)
{
	return channel->count - channel->granted < channel->capacity ||
	       !list_empty(&channel->receivers);
}

/* The value on top of L is in the channel; its table is at 2. */
static void put(lua_State *L, struct channel *channel)
{
	lua_rawseti(L, 2, channel->head + channel->count); /* may raise: nothing has changed */
	channel->count++;
	serve(channel);
}

static void admit_one(lua_State *L, struct channel *channel)
{
	struct task *task = first(&channel->senders);
	struct call *call = call_of(task);

	lua_pushvalue(call->L, 3);
	lua_xmove(call->L, L, 1);
	put(L, channel);
	call->granted = true;
	task_wake_later(task);
}

/* Those before it belong to receivers that were here first and move up by one. */
static int take(lua_State *L, struct channel *channel, lua_Integer offset)
{
	lua_rawgeti(L, 2, channel->head + offset);
	for (; offset > 0; offset--) {
		lua_rawgeti(L, 2, channel->head + offset - 1);
		lua_rawseti(L, 2, channel->head + offset);
	}
	lua_pushnil(L);
	lua_rawseti(L, 2, channel->head);
	channel->count--;
	channel->head = channel->count > 0 ? channel->head + 1 : 1;
	while (!list_empty(&channel->senders) && has_room(channel))
		admit_one(L, channel);
	return 1;
}

/* --- sending --- */

/* The stack becomes: the channel, its table, what was at 2. Gives the timeout at 3. */
static struct channel *begin(lua_State *L, int64_t *timeout, int options)
{
	struct channel *channel = luaL_checkudata(L, 1, meta);

	luaL_checkstack(L, 8, NULL);
	*timeout = options ? units_options(L, options, 0, false).timeout : -1;
	lua_settop(L, 2);
	lua_getiuservalue(L, 1, 1);
	lua_insert(L, 2);
	return channel;
}

static int wait(lua_State *L, struct channel *channel, struct link *list, int64_t timeout,
		lua_KFunction k)
{
	struct task *task = task_check(L);

	*call_of(task) = (struct call){.channel = channel, .L = L};
	list_append(list, &task->queued);
	return task_wait(L, task, channel, NULL, timeout, 0, k);
}

static int fail_closed(lua_State *L)
{
	return vm_fail(L, "the channel is closed", "ECLOSED");
}

static int sent(lua_State *L, int status, lua_KContext context)
{
	struct task *task = vm_of(L)->current;

	(void)status;
	(void)context;
	if (task->timed_out)
		return vm_fail(L, "nobody has received the value in time", "ETIMEDOUT");
	if (!call_of(task)->granted)
		return fail_closed(L);
	lua_pushboolean(L, 1);
	return 1;
}

/* true: it is done, and count values are the answer. */
static bool send_now(lua_State *L, struct channel *channel, int *count)
{
	if (lua_isnil(L, 3))
		luaL_error(L, "nil cannot be sent: it is what receive returns at the end");
	if (channel->closed) {
		*count = fail_closed(L);
		return true;
	}
	if (!list_empty(&channel->senders) || !has_room(channel))
		return false;
	put(L, channel);
	lua_pushboolean(L, 1);
	*count = 1;
	return true;
}

static int l_send(lua_State *L)
{
	int64_t timeout;
	struct channel *channel = begin(L, &timeout, 3);
	int count;

	if (send_now(L, channel, &count))
		return count;
	return wait(L, channel, &channel->senders, timeout, sent);
}

static int l_try_send(lua_State *L)
{
	int64_t timeout;
	struct channel *channel = begin(L, &timeout, 0);
	int count;

	if (send_now(L, channel, &count))
		return count;
	return vm_fail(L, "the channel is full", "EAGAIN");
}

/* --- receiving --- */

static int received(lua_State *L, int status, lua_KContext context)
{
	struct task *task = vm_of(L)->current;
	struct call *call = call_of(task);

	(void)status;
	(void)context;
	if (call->granted) {
		call->channel->granted--;
		return take(L, call->channel, 0);
	}
	if (task->timed_out)
		return vm_fail(L, "nobody has sent a value in time", "ETIMEDOUT");
	lua_pushnil(L);
	return 1;
}

static int receive(lua_State *L, struct channel *channel, int64_t timeout)
{
	if (channel->count == channel->granted && !list_empty(&channel->senders))
		admit_one(L, channel); /* capacity 0: from hand to hand */
	if (channel->count > channel->granted)
		return take(L, channel, channel->granted);
	if (!channel->closed)
		return wait(L, channel, &channel->receivers, timeout, received);
	lua_pushnil(L);
	return 1;
}

static int l_receive(lua_State *L)
{
	int64_t timeout;
	struct channel *channel = begin(L, &timeout, 2);

	return receive(L, channel, timeout);
}

static int l_next(lua_State *L)
{
	int64_t timeout;
	struct channel *channel = begin(L, &timeout, 0);

	return receive(L, channel, timeout);
}

static int l_values(lua_State *L)
{
	luaL_checkudata(L, 1, meta);
	lua_pushcfunction(L, l_next);
	lua_pushvalue(L, 1);
	return 2;
}

/* --- the end --- */

static int l_close(lua_State *L)
{
	struct channel *channel = luaL_checkudata(L, 1, meta);

	channel->closed = true;
	while (!list_empty(&channel->senders))
		task_wake_later(first(&channel->senders));
	while (!list_empty(&channel->receivers))
		task_wake_later(first(&channel->receivers));
	return 0;
}

static int l_length(lua_State *L)
{
	struct channel *channel = luaL_checkudata(L, 1, meta);

	lua_pushinteger(L, channel->count - channel->granted);
	return 1;
}

int channel_l_channel(lua_State *L)
{
	lua_Integer capacity = luaL_optinteger(L, 1, 0);
	struct channel *channel;

	luaL_argcheck(L, capacity >= 0 && capacity <= CAPACITY_MAX, 1,
		      "a capacity from 0 to 1048576 values");
	channel = lua_newuserdatauv(L, sizeof *channel, 1);
	*channel = (struct channel){.capacity = capacity, .head = 1};
	list_init(&channel->senders);
	list_init(&channel->receivers);
	lua_newtable(L);
	lua_setiuservalue(L, -2, 1);
	luaL_setmetatable(L, meta);
	return 1;
}

void channels_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"send", l_send},       {"try_send", l_try_send},
					   {"receive", l_receive}, {"values", l_values},
					   {"close", l_close},     {NULL, NULL}};
	static const luaL_Reg events[] = {{"__close", l_close}, {"__len", l_length}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}
