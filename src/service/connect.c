#include "service/connect.h"

#include <lauxlib.h>

#include "service/conn_lua.h"
#include "service/dial.h"
#include "service/push.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.dial";

enum { TIMEOUT = 10000, /* milliseconds */ BOX = 3 /* where the userdata is on the stack */ };

/* On the waiting task's stack: what is dialled goes with it. */
struct box {
	struct dial *dial;
	struct task *task;
};

static void finish(struct box *box)
{
	if (box->dial)
		dial_finish(box->dial);
	box->dial = NULL;
}

static int l_gc(lua_State *L)
{
	finish(luaL_checkudata(L, 1, meta));
	return 0;
}

static void on_done(struct dial *dial)
{
	struct box *box = dial->data;

	if (box->task)
		task_wake(box->task);
}

static void detach(struct task *task)
{
	struct box *box = task->object;

	box->task = NULL;
	if (!box->dial->over) /* cancelled */
		finish(box);
}

static int give_conn(lua_State *L, struct dial *dial)
{
	struct incoming incoming = {.fd = dial->fd, .peer = conn_peer_of(&dial->peer)};

	return conn_lua_adopt(L, &incoming, &dial->fd);
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
	struct box *box = lua_touserdata(L, BOX);
	struct dial *dial = box->dial;
	int count;

	(void)status;
	(void)context;
	count = dial->fd >= 0 ? give_conn(L, dial) : vm_fail(L, dial->message, dial->code);
	finish(box);
	return count;
}

int connect_l_connect(lua_State *L)
{
	size_t length;
	const char *target = luaL_checklstring(L, 1, &length);
	const char *expected = dial_check(target, length);
	struct options_of_wait options = units_options(L, 2, 0, false);
	struct task *task = task_check(L);
	struct box *box;

	if (expected)
		return luaL_argerror(
		    L, 1, lua_pushfstring(L, "expected %s, got \"%s\"", expected, target));
	lua_settop(L, BOX - 1);
	box = lua_newuserdatauv(L, sizeof *box, 0);
	*box = (struct box){.task = task};
	luaL_setmetatable(L, meta);
	box->dial = dial_start(vm_of(L), target, options.timeout < 0 ? TIMEOUT : options.timeout,
			       on_done, box);
	if (!box->dial)
		vm_raise(L, "not enough memory");
	return task_wait(L, task, box, detach, -1, 0, go_on);
}

void connect_open(lua_State *L)
{
	push_metatable(L, meta);
	lua_pushcfunction(L, l_gc);
	lua_setfield(L, -2, "__gc");
	lua_pop(L, 1);
}
