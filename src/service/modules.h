#ifndef LUVD_SERVICE_MODULES_H
#define LUVD_SERVICE_MODULES_H

#include <lua.h>

/* The modules in C, one file each (mod_NAME.c). */
int luaopen_luvd(lua_State *L);
int luaopen_luvd_fs(lua_State *L);
int luaopen_luvd_json(lua_State *L);
int luaopen_luvd_log(lua_State *L);
int luaopen_luvd_net(lua_State *L);
int luaopen_luvd_resp(lua_State *L);
int luaopen_luvd_http(lua_State *L);
int luaopen_luvd_http_native(lua_State *L);
int luaopen_luvd_task(lua_State *L);
int luaopen_luvd_test_native(lua_State *L);
int luaopen_luvd_script(lua_State *L);         /* only in scripts */
int luaopen_luvd_testing_native(lua_State *L); /* only in scripts */

#endif
