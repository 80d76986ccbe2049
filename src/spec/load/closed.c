#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "spec/load/load.h"

/* What a daemon file can call: nothing that reaches outside the Lua state, and nothing whose
 * answer differs from one reading to the next. */

/* --- what is not here, and what is instead --- */

struct absent {
	const char *name, *instead;
};

static const struct absent absents[] = {
    {"os.getenv", "use host.env.NAME"},
    {"os.exit", "use error(message) to refuse"},
    {"os", "use it inside start"},
    {"io", "use it inside start, or include \"file.lua\" for data"},
    {"print", "use error(message) to refuse, or require \"luvd\".log inside start"},
    {"warn", "use error(message) to refuse, or require \"luvd\".log inside start"},
    {"load", "use include \"file.lua\""},
    {"dofile", "use include \"file.lua\""},
    {"loadfile", "use include \"file.lua\""},
    {"debug", "use it inside start"},
    {"collectgarbage", "a daemon file may take 64 MiB; use it inside start"},
    {"coroutine", "use it inside start"},
    {"package", "name folders in lua.path and modules in lua.preload"},
    {"xpcall", "use pcall"},
    {"getmetatable", "a daemon file is plain data"},
    {"rawget", "use t[key]"},
    {"rawset", "use t[key] = value"},
    {"rawlen", "use #t"},
    {"rawequal", "use =="},
    {"_G", "name globals directly"},
    {"math.random", "a daemon file says the same each time: use it inside start"},
    {"math.randomseed", "a daemon file says the same each time: use it inside start"},
    {"string.dump", "only texts are loaded"},
    {NULL, NULL},
};

static const struct absent *find_absent(const char *name)
{
	for (const struct absent *absent = absents; absent->name; absent++)
		if (strcmp(absent->name, name) == 0)
			return absent;
	return NULL;
}

static int raise_absent(lua_State *L, const char *name, const char *instead)
{
	return load_raise(L, "%s is not there while the file is read as data: %s", name, instead);
}

/* Reading an unknown name of a table whose dotted name is the first upvalue. */
static int l_absent_index(lua_State *L)
{
	const char *table = lua_tostring(L, lua_upvalueindex(1));
	const char *key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
	const char *name = lua_pushfstring(L, "%s.%s", table, key);
	const struct absent *absent = find_absent(name);

	if (!absent)
		absent = find_absent(table);
	if (!absent)
		return 0; /* string.x, math.x: nil as everywhere */
	return raise_absent(L, name, absent->instead);
}

/* An absent function that is called, its name the first upvalue. */
static int l_absent_call(lua_State *L)
{
	const char *name = lua_tostring(L, lua_upvalueindex(1));

	return raise_absent(L, name, find_absent(name)->instead);
}

/* A global that nobody has set: nil would let `user = nobody` run as root. */
static int l_undefined(lua_State *L)
{
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
	const struct absent *absent = find_absent(name);

	if (absent)
		return raise_absent(L, name, absent->instead);
	return load_raise(L, "%s is not defined; a text needs quotes: \"%s\"", name, name);
}

/* Replaces the table on the top of the stack by an empty one whose reads go to it and whose writes
 * raise. pairs sees the hidden one. */
static int l_read_only(lua_State *L)
{
	return load_raise(L, "%s is read-only", lua_tostring(L, lua_upvalueindex(1)));
}

static int l_hidden_pairs(lua_State *L);

static void protect(lua_State *L, const char *name, bool strict);

/* --- pairs, in the order of the keys --- */

static int rank(lua_State *L, int index)
{
	int type = lua_type(L, index);

	return type == LUA_TNUMBER ? 0 : type == LUA_TSTRING ? 1 : 2 + type;
}

static int l_before(lua_State *L)
{
	int a = rank(L, 1), b = rank(L, 2);

	if (a == b)
		lua_pushboolean(L, a < 2 && lua_compare(L, 1, 2, LUA_OPLT));
	else
		lua_pushboolean(L, a < b);
	return 1;
}

/* Upvalues: the table, its keys, how many were given. */
static int l_next_sorted(lua_State *L)
{
	lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));

	for (;;) {
		at++;
		if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL)
			return 1;
		lua_pushvalue(L, -1);
		if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
			break;
		lua_pop(L, 2); /* taken away meanwhile */
	}
	lua_pushinteger(L, at);
	lua_replace(L, lua_upvalueindex(3));
	return 2;
}

static int push_sorted(lua_State *L, int table)
{
	lua_Integer count = 0;

	lua_pushvalue(L, table);
	lua_newtable(L);
	for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
		lua_pushvalue(L, -2);
		lua_rawseti(L, -4, ++count);
	}
	lua_getfield(L, LUA_REGISTRYINDEX, "luvd.sort");
	lua_pushvalue(L, -2);
	lua_pushcfunction(L, l_before);
	lua_call(L, 2, 0);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, l_next_sorted, 3);
	return 1;
}

static int l_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	placeholder_refuse(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
		lua_pushvalue(L, 1);
		lua_call(L, 1, 3);
		return 3;
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	return push_sorted(L, 1);
}

static int l_hidden_pairs(lua_State *L)
{
	return push_sorted(L, lua_upvalueindex(1));
}

static int l_next(lua_State *L)
{
	placeholder_refuse(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	if (lua_next(L, 1))
		return 2;
	lua_pushnil(L);
	return 1;
}

static int l_setmetatable(lua_State *L)
{
	placeholder_refuse(L, 1);
	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
	if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
		return load_raise(L, "cannot change a protected metatable");
	if (lua_istable(L, 2)) {
		lua_pushliteral(L, "__gc");
		if (lua_rawget(L, 2) != LUA_TNIL)
			return load_raise(L, "__gc is not there while the file is read as data");
	}
	lua_settop(L, 2);
	lua_setmetatable(L, 1);
	return 1;
}

/* Addresses differ from one reading to the next: a table is just "table". */
static int l_tostring(lua_State *L)
{
	int type;

	luaL_checkany(L, 1);
	type = lua_type(L, 1);
	if ((type == LUA_TTABLE || type == LUA_TFUNCTION) &&
	    luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL)
		lua_pushstring(L, lua_typename(L, type));
	else
		luaL_tolstring(L, 1, NULL);
	return 1;
}

/* --- read-only tables --- */

/* A name that host does not have. */
static int l_no_such(lua_State *L)
{
	return load_raise(L, "%s has no \"%s\"; it has cpus, directory, env and hostname",
			  lua_tostring(L, lua_upvalueindex(1)),
			  lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
}

/* Sets the C function with the name as its upvalue in the metatable on the top. */
static void set_meta(lua_State *L, const char *event, lua_CFunction function, const char *name)
{
	lua_pushstring(L, name);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, event);
}

static void protect(lua_State *L, const char *name, bool strict)
{
	if (strict) {
		lua_newtable(L);
		set_meta(L, "__index", l_no_such, name);
		lua_setmetatable(L, -2);
	}
	lua_newtable(L); /* hidden, proxy */
	lua_newtable(L); /* hidden, proxy, meta */
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushvalue(L, -3);
	lua_pushcclosure(L, l_hidden_pairs, 1);
	lua_setfield(L, -2, "__pairs");
	set_meta(L, "__newindex", l_read_only, name);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_remove(L, -2);
}

static void push_env(lua_State *L, const struct source *source)
{
	lua_newtable(L);
	for (char **entry = source->environment; entry && *entry; entry++) {
		const char *equals = strchr(*entry, '=');

		if (!equals)
			continue;
		lua_pushlstring(L, *entry, (size_t)(equals - *entry));
		lua_pushvalue(L, -1);
		/* The first one counts, as for getenv(3). */
		if (lua_rawget(L, -3) == LUA_TNIL) {
			lua_pop(L, 1);
			lua_pushstring(L, equals + 1);
			lua_rawset(L, -3);
		} else {
			lua_pop(L, 2);
		}
	}
	protect(L, "host.env", false);
}

static void push_host(lua_State *L, const struct source *source)
{
	const char *slash = strrchr(source->path, '/');
	size_t length = slash ? (size_t)(slash - source->path) : 0;

	lua_newtable(L);
	push_env(L, source);
	lua_setfield(L, -2, "env");
	lua_pushstring(L, source->hostname ? source->hostname : "");
	lua_setfield(L, -2, "hostname");
	lua_pushinteger(L, source->cpus);
	lua_setfield(L, -2, "cpus");
	lua_pushlstring(L, length ? source->path : "/", length ? length : 1);
	lua_setfield(L, -2, "directory");
	protect(L, "host", true);
}

/* --- putting it together --- */

/* Takes names from the table on the top into the globals below it. */
static void take(lua_State *L, const char *const *names)
{
	for (; *names; names++) {
		lua_getfield(L, -1, *names);
		lua_setfield(L, -3, *names);
	}
}

/* Opens a library as a global, without what is absent from it; reading that raises. */
static void open_library(lua_State *L, const char *name, lua_CFunction open)
{
	size_t length = strlen(name);

	luaL_requiref(L, name, open, 0);
	for (const struct absent *absent = absents; absent->name; absent++) {
		if (strncmp(absent->name, name, length) != 0 || absent->name[length] != '.')
			continue;
		lua_pushnil(L);
		lua_setfield(L, -2, absent->name + length + 1);
	}
	lua_newtable(L);
	set_meta(L, "__index", l_absent_index, name);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_setfield(L, -2, name);
}

static void put_absent_table(lua_State *L, const char *name)
{
	lua_newtable(L);
	lua_newtable(L);
	set_meta(L, "__index", l_absent_index, name);
	set_meta(L, "__newindex", l_absent_call, name);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_setfield(L, -2, name);
}

static void put_absents(lua_State *L)
{
	static const char *const tables[] = {"os", "io", "debug", "coroutine", "package"};
	static const char *const functions[] = {"print",    "warn",           "load",  "dofile",
						"loadfile", "collectgarbage", "xpcall"};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		put_absent_table(L, tables[i]);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		lua_pushstring(L, functions[i]);
		lua_pushcclosure(L, l_absent_call, 1);
		lua_setfield(L, -2, functions[i]);
	}
}

static void seal_strings(lua_State *L)
{
	lua_pushliteral(L, "");
	lua_getmetatable(L, -1);
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 2);
}

void closed_open(lua_State *L)
{
	static const char *const taken[] = {"type",   "ipairs", "select",   "tonumber", "error",
					    "assert", "pcall",  "_VERSION", NULL};
	static const luaL_Reg functions[] = {
	    {"pairs", l_pairs},        {"next", l_next},
	    {"tostring", l_tostring},  {"setmetatable", l_setmetatable},
	    {"include", include_call}, {NULL, NULL}};

	lua_newtable(L);
	luaL_requiref(L, "_G", luaopen_base, 0);
	take(L, taken);
	lua_pop(L, 1);
	luaL_setfuncs(L, functions, 0);
	open_library(L, "string", luaopen_string);
	open_library(L, "table", luaopen_table);
	open_library(L, "math", luaopen_math);
	open_library(L, "utf8", luaopen_utf8);
	lua_getfield(L, -1, "table");
	lua_getfield(L, -1, "sort");
	lua_setfield(L, LUA_REGISTRYINDEX, "luvd.sort");
	lua_pop(L, 1);
	seal_strings(L);
	placeholder_open(L);
	lua_setfield(L, -2, "require");
	push_host(L, load_of(L)->source);
	lua_setfield(L, -2, "host");
	put_absents(L);
	lua_newtable(L);
	lua_pushcfunction(L, l_undefined);
	lua_setfield(L, -2, "__index");
	lua_setmetatable(L, -2);
	lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}
