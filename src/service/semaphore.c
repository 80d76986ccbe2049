#include "service/semaphore.h"

#include <lauxlib.h>
#include <stdbool.h>

#include "service/push.h"
#include "service/task.h"
#include "service/units.h"
#include "service/vm.h"

static const char meta[] = "luvd.semaphore", permit_meta[] = "luvd.permit";

struct semaphore {
	lua_Integer free;
	struct link waiters; /* tasks */
};

struct permit {
	struct semaphore *semaphore; /* NULL: released; its user value keeps it */
};

/* In the task that waits. */
struct call {
	struct semaphore *semaphore;
	bool granted;
};

_Static_assert(sizeof(struct call) <= sizeof((struct task *)0)->call, "task.call is too small");

/* --- permits --- */

static void give_back(struct semaphore *semaphore);

static void on_lost(struct task *task)
{
	give_back(((struct call *)task->call)->semaphore);
}

/* To who has waited longest: nobody comes in between. */
static void give_back(struct semaphore *semaphore)
{
	struct task *task;

	if (list_empty(&semaphore->waiters)) {
		semaphore->free++;
		return;
	}
	task = LIST_ENTRY(semaphore->waiters.next, struct task, queued);
	((struct call *)task->call)->granted = true;
	task_grant(task, on_lost);
}

/* The semaphore is at 1. Made before there is something to lose. */
static void push_permit(lua_State *L)
{
	struct permit *permit = lua_newuserdatauv(L, sizeof *permit, 1);

	permit->semaphore = NULL;
	luaL_setmetatable(L, permit_meta);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);
}

/* The permit on top of L is of the semaphore at 1. */
static int hold(lua_State *L)
{
	struct permit *permit = lua_touserdata(L, -1);

	permit->semaphore = lua_touserdata(L, 1);
	return 1;
}

static int l_release(lua_State *L)
{
	struct permit *permit = luaL_checkudata(L, 1, permit_meta);

	if (permit->semaphore)
		give_back(permit->semaphore);
	permit->semaphore = NULL;
	return 0;
}

/* --- the semaphore --- */

static bool acquire_now(lua_State *L, struct semaphore *semaphore)
{
	luaL_checkstack(L, 6, NULL);
	lua_settop(L, 1);
	if (semaphore->free == 0)
		return false;
	push_permit(L);
	semaphore->free--; /* more than none are free only when nobody waits */
	hold(L);
	return true;
}

static int acquired(lua_State *L, int status, lua_KContext context)
{
	struct task *task = vm_of(L)->current;

	(void)status;
	(void)context;
	if (((struct call *)task->call)->granted)
		return hold(L);
	return vm_fail(L, "no permit was released in time", "ETIMEDOUT");
}

static int l_acquire(lua_State *L)
{
	struct semaphore *semaphore = luaL_checkudata(L, 1, meta);
	int64_t timeout = units_options(L, 2, 0, false).timeout;
	struct task *task;

	if (acquire_now(L, semaphore))
		return 1;
	push_permit(L);
	task = task_check(L);
	*(struct call *)task->call = (struct call){.semaphore = semaphore};
	list_append(&semaphore->waiters, &task->queued);
	return task_wait(L, task, semaphore, NULL, timeout, 0, acquired);
}

static int l_try_acquire(lua_State *L)
{
	struct semaphore *semaphore = luaL_checkudata(L, 1, meta);

	if (acquire_now(L, semaphore))
		return 1;
	return vm_fail(L, "all permits are held", "EAGAIN");
}

int semaphore_l_semaphore(lua_State *L)
{
	lua_Integer size = luaL_checkinteger(L, 1);
	struct semaphore *semaphore;

	luaL_argcheck(L, size >= 1, 1, "at least one permit");
	semaphore = lua_newuserdatauv(L, sizeof *semaphore, 0);
	*semaphore = (struct semaphore){.free = size};
	list_init(&semaphore->waiters);
	luaL_setmetatable(L, meta);
	return 1;
}

void semaphores_open(lua_State *L)
{
	static const luaL_Reg methods[] = {
	    {"acquire", l_acquire}, {"try_acquire", l_try_acquire}, {NULL, NULL}};
	static const luaL_Reg permit_methods[] = {{"release", l_release}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	push_metatable(L, permit_meta);
	luaL_newlib(L, permit_methods);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, l_release);
	lua_setfield(L, -2, "__close");
	lua_pop(L, 2);
}
