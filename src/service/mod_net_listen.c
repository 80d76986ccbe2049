#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/listener.h"
#include "service/listener.h"
#include "service/origin.h"
#include "service/vm.h"
#include "spec/listen.h"

/* net.listen: the options become the value that a daemon file would have been, so that one set of
 * rules says what is right. Nothing here raises while it holds memory. */

/* --- the options --- */

static const char no_memory[] = "not enough memory",
		  no_option[] = "expected options such as { backlog = 64 }: strings, numbers, "
				"booleans and lists of them";

static const char *take(lua_State *L, int index, struct value *to, int depth);

static const char *take_pair(lua_State *L, struct value *table, int depth)
{
	struct value key = {0}, *place = NULL;
	const char *wrong = take(L, -2, &key, 0);

	if (!wrong && key.type != VALUE_STRING && key.type != VALUE_INTEGER)
		wrong = no_option;
	if (!wrong && !(place = value_put(table, &key)))
		wrong = no_memory;
	if (!wrong)
		wrong = take(L, -1, place, depth);
	value_finish(&key);
	return wrong;
}

static const char *take_table(lua_State *L, int index, struct value *to, int depth)
{
	const char *wrong = NULL;

	if (depth == 0)
		return no_option;
	to->type = VALUE_TABLE;
	lua_pushnil(L);
	while (!wrong && lua_next(L, index)) {
		wrong = take_pair(L, to, depth - 1);
		lua_pop(L, 1);
	}
	return wrong;
}

/* Makes *to, which must be nil, the value at index; NULL, or what is wrong. */
static const char *take(lua_State *L, int index, struct value *to, int depth)
{
	size_t length;
	const char *bytes;

	index = lua_absindex(L, index);
	switch (lua_type(L, index)) {
	case LUA_TSTRING:
		bytes = lua_tolstring(L, index, &length);
		return value_string(to, bytes, length) < 0 ? no_memory : NULL;
	case LUA_TBOOLEAN:
		*to = (struct value){.type = VALUE_BOOLEAN, .as.boolean = lua_toboolean(L, index)};
		return NULL;
	case LUA_TNUMBER:
		if (lua_isinteger(L, index))
			*to = (struct value){.type = VALUE_INTEGER,
					     .as.integer = lua_tointeger(L, index)};
		else
			*to = (struct value){.type = VALUE_NUMBER,
					     .as.number = lua_tonumber(L, index)};
		return NULL;
	case LUA_TTABLE:
		return take_table(L, index, to, depth);
	default:
		return no_option;
	}
}

/* address, options: one table, as an entry of listen. */
static const char *take_entry(lua_State *L, struct value *table)
{
	static char name[] = "address";
	struct value key = {.type = VALUE_STRING, .as.string = {name, sizeof name - 1}}, *place;
	const char *wrong = NULL;

	table->type = VALUE_TABLE;
	if (!lua_isnil(L, 2))
		wrong = take_table(L, 2, table, 2);
	if (wrong)
		return wrong;
	if (value_get(table, name))
		return "the address is the first argument, not an option";
	if (value_get(table, "owner"))
		return "owner: only in a daemon file, whose sockets are made while privileges last";
	place = value_put(table, &key);
	return place ? take(L, 1, place, 1) : no_memory;
}

/* --- the sockets --- */

static int bind_all(struct listening *own, struct err *err)
{
	own->sockets = calloc(own->listen.address_count, sizeof *own->sockets);
	if (!own->sockets) {
		errno = ENOMEM;
		return err_sys(err, "cannot listen");
	}
	for (size_t i = 0; i < own->listen.address_count; i++) {
		struct listener *socket = &own->sockets[own->count++];

		*socket = (struct listener){
		    .listen = &own->listen, .address = &own->listen.addresses[i], .fd = -1};
		if (listener_bind(socket, geteuid(), err) < 0)
			return -1;
	}
	own->listen.name = own->sockets[0].actual;
	return 0;
}

/* Where relative paths start: as in the daemon file. NULL: out of memory. */
static char *folder_of(struct arena *arena, const struct spec *spec)
{
	size_t size = strlen(spec->source.path) + 1;
	char *path = arena_try(arena, size), *slash;

	if (!path)
		return NULL;
	memcpy(path, spec->source.path, size);
	slash = strrchr(path, '/');
	slash[slash == path] = '\0';
	return path;
}

/* What the call has found: sockets, or wrong use, or what failed. */
struct attempt {
	struct listening *own;
	char wrong[ERR_TEXT_MAX]; /* empty: it was not wrong */
	struct err err;
};

static void read_entry(struct attempt *attempt, const struct value *table)
{
	struct listening *own = attempt->own;
	const char *folder = folder_of(own->arena, own->vm->daemon->spec);
	struct errs errs = {0};
	bool right = folder && listen_read(own->arena, folder, table, &own->listen, &errs) == 0;

	if (!right && errs.count == 0)
		snprintf(attempt->wrong, sizeof attempt->wrong, "%s", no_memory);
	else if (!right)
		snprintf(attempt->wrong, sizeof attempt->wrong, "%s%s%s", errs.list[0].key,
			 errs.list[0].key[0] ? ": " : "", errs.list[0].what);
	errs_finish(&errs);
}

static void try_listening(lua_State *L, struct attempt *attempt)
{
	struct listening *own = attempt->own = calloc(1, sizeof *own);
	struct value table = {0};
	const char *wrong = no_memory;

	if (own) {
		own->vm = vm_of(L);
		own->references = 1;
		list_append(&own->vm->listenings, &own->all);
		origin_note(own->vm, L, own);
		own->arena = arena_create();
	}
	if (own && own->arena)
		wrong = take_entry(L, &table);
	if (wrong)
		snprintf(attempt->wrong, sizeof attempt->wrong, "%s", wrong);
	else
		read_entry(attempt, &table);
	value_finish(&table);
	if (own && (attempt->wrong[0] || bind_all(own, &attempt->err) < 0)) {
		listening_release(own);
		attempt->own = NULL;
	}
}

int listener_l_listen(lua_State *L)
{
	struct attempt attempt = {0};
	struct listener_object *object;
	char text[ERR_TEXT_MAX];

	luaL_argexpected(L, lua_isstring(L, 1) || lua_istable(L, 1), 1, "address");
	luaL_argexpected(L, lua_isnoneornil(L, 2) || lua_istable(L, 2), 2, "table");
	if (vm_of(L)->phase == PHASE_LOADING || vm_of(L)->phase >= PHASE_STOPPING)
		return luaL_error(L, "nothing can be listened on while the service is %s",
				  vm_of(L)->phase == PHASE_LOADING ? "loaded: call it inside start"
								   : "stopped");
	lua_settop(L, 2);
	luaL_checkstack(L, 16, NULL);
	object = listener_push(L, ""); /* before there is anything that a raise would lose */
	try_listening(L, &attempt);
	object->own = attempt.own;
	if (attempt.own)
		return 1;
	if (attempt.wrong[0])
		return luaL_error(L, "%s", attempt.wrong);
	return vm_fail(L, err_text(&attempt.err, text, sizeof text),
		       uv_err_name(-attempt.err.code));
}
