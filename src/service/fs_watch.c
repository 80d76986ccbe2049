#include "service/fs_watch.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "service/census.h"
#include "service/fs_call.h"
#include "service/origin.h"
#include "service/push.h"
#include "service/task.h"
#include "service/vm.h"

static const char meta[] = "luvd.watcher";

/* A change is mostly several events (create, write, rename): one call tells them all. */
enum { SETTLE = 50 /* milliseconds */ };

/* The userdata holds a pointer to it; it lives until it is closed, whoever has dropped the
 * userdata. What is watched is the folder: a file that is replaced by a rename is another file
 * under the same name, and the kernel would go on watching the old one. */
struct watcher {
	struct vm *vm;
	struct link all;
	uv_fs_event_t event;
	struct alarm settle;
	char *path;   /* as it was given */
	char *folder; /* that holds it; NULL: it is one */
	char *name;   /* in its folder; NULL: the path is a folder */
	int function;
	bool changed; /* and not told yet */
	bool closing;
	struct task *task;    /* the call that runs now: calls never overlap */
	struct watcher **box; /* NULL: collected */
};

static void destroy(struct watcher *watcher)
{
	free(watcher->path);
	free(watcher->folder);
	free(watcher->name);
	free(watcher);
}

static void on_closed(uv_handle_t *handle)
{
	struct watcher *watcher = handle->data;

	watcher->vm->handles--;
	if (watcher->task)
		watcher->task->data = NULL;
	destroy(watcher);
}

static void close_watcher(struct watcher *watcher)
{
	struct vm *vm = watcher->vm;

	if (watcher->closing)
		return;
	watcher->closing = true;
	luaL_unref(vm->L, LUA_REGISTRYINDEX, watcher->function);
	list_remove(&watcher->all);
	if (watcher->box)
		*watcher->box = NULL;
	watcher->box = NULL;
	vm_close_handle(vm, (uv_handle_t *)&watcher->event, on_closed);
	alarm_clear(&vm->alarms, &watcher->settle);
}

/* --- calls --- */

static void settle(struct watcher *watcher);

static void on_done(struct task *task, enum outcome outcome, const char *message)
{
	struct watcher *watcher = task->data;

	if (outcome == OUTCOME_FAILED)
		task_log_failure(task, message);
	if (!watcher)
		return;
	watcher->task = NULL;
	if (watcher->changed)
		settle(watcher);
}

static int begin_call(lua_State *L)
{
	struct watcher *watcher = lua_touserdata(L, 1);

	lua_rawgeti(L, LUA_REGISTRYINDEX, watcher->function);
	lua_pushstring(L, watcher->path);
	watcher->task = task_create(L, 1, "watcher");
	watcher->task->data = watcher;
	watcher->task->done = on_done;
	return 0;
}

static void on_settled(struct alarm *alarm)
{
	struct watcher *watcher = LIST_ENTRY(alarm, struct watcher, settle);
	struct vm *vm = watcher->vm;

	watcher->changed = false;
	if (vm_run(vm, begin_call, watcher) == LUA_OK) {
		task_start(watcher->task);
		return;
	}
	vm->failed++;
	vm_log_failure(vm, lua_tostring(vm->L, -1), NULL, 0);
	lua_pop(vm->L, 1);
}

/* Not put off by further events: a file that changes all the time is told of too. */
static void settle(struct watcher *watcher)
{
	if (watcher->vm->phase != PHASE_RUNNING || watcher->closing || watcher->task ||
	    alarm_is_set(&watcher->settle))
		return;
	vm_update(watcher->vm);
	alarm_set(&watcher->vm->alarms, &watcher->settle, vm_now(watcher->vm) + SETTLE);
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
	struct watcher *watcher = event->data;

	(void)events;
	if (status == 0 && watcher->name && name && strcmp(name, watcher->name) != 0)
		return;
	watcher->changed = true;
	settle(watcher);
}

/* --- making one --- */

/* The folder to watch; name is set to the file in it, or stays NULL. */
static const char *find_folder(lua_State *L, struct watcher *watcher)
{
	const char *name;
	struct stat there;

	if (stat(watcher->path, &there) == 0 && S_ISDIR(there.st_mode))
		return watcher->path;
	watcher->folder = fs_split(watcher->path, &name);
	watcher->name = watcher->folder ? strdup(name) : NULL;
	if (!watcher->name)
		vm_raise(L, "not enough memory");
	return watcher->folder;
}

static int start(lua_State *L, struct watcher *watcher)
{
	struct vm *vm = vm_of(L);
	const char *folder = find_folder(L, watcher);
	int code;

	lua_pushvalue(L, 2);
	watcher->function = luaL_ref(L, LUA_REGISTRYINDEX);
	watcher->vm = vm;
	uv_fs_event_init(vm->loop, &watcher->event);
	alarm_init(&vm->alarms, &watcher->settle, on_settled);
	watcher->event.data = watcher;
	vm->handles++;
	list_append(&vm->watchers, &watcher->all);
	origin_note(vm, L, watcher);
	code = uv_fs_event_start(&watcher->event, on_event, folder, 0);
	if (code < 0)
		close_watcher(watcher);
	return code;
}

int fs_l_watch(lua_State *L)
{
	struct vm *vm = vm_of(L);
	struct watcher **box, *watcher;
	int code;

	luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	lua_settop(L, 2);
	if (vm->phase >= PHASE_STOPPING)
		return luaL_error(L, "nothing can be watched while the daemon is being stopped");
	box = lua_newuserdatauv(L, sizeof(struct watcher *), 0);
	*box = NULL;
	luaL_setmetatable(L, meta);
	watcher = calloc(1, sizeof *watcher);
	if (!watcher)
		vm_raise(L, "not enough memory");
	*box = watcher; /* collected from here on, whatever raises */
	watcher->box = box;
	fs_call_path(L, &watcher->path, 1);
	code = start(L, watcher);
	if (code < 0)
		return vm_fail_uv(L, code);
	lua_settop(L, 3);
	return 1;
}

static int l_close(lua_State *L)
{
	struct watcher **box = luaL_checkudata(L, 1, meta);

	if (*box)
		close_watcher(*box);
	return 0;
}

/* The watcher itself goes on: it belongs to the service, not to the variable. */
static int l_gc(lua_State *L)
{
	struct watcher **box = luaL_checkudata(L, 1, meta);

	if (*box && !(*box)->vm)
		destroy(*box); /* never begun */
	else if (*box)
		(*box)->box = NULL;
	return 0;
}

void fs_watches_open(lua_State *L)
{
	static const luaL_Reg methods[] = {{"close", l_close}, {NULL, NULL}};
	static const luaL_Reg events[] = {{"__gc", l_gc}, {"__close", l_close}, {NULL, NULL}};

	push_metatable(L, meta);
	luaL_setfuncs(L, events, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

void fs_watchers_begin(struct vm *vm)
{
	for (struct link *link = vm->watchers.next; link != &vm->watchers; link = link->next) {
		struct watcher *watcher = LIST_ENTRY(link, struct watcher, all);

		if (watcher->changed)
			settle(watcher);
	}
}

void fs_watchers_close(struct vm *vm)
{
	while (!list_empty(&vm->watchers))
		close_watcher(LIST_ENTRY(vm->watchers.next, struct watcher, all));
}

void fs_watchers_tell(struct vm *vm, struct census *census)
{
	for (struct link *link = vm->watchers.next; link != &vm->watchers; link = link->next) {
		const struct watcher *watcher = LIST_ENTRY(link, struct watcher, all);

		census_add(census, watcher, "watcher of %s", watcher->path);
	}
}
