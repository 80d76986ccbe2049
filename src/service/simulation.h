#ifndef LUVD_SERVICE_SIMULATION_H
#define LUVD_SERVICE_SIMULATION_H

#include <lua.h>

#include "err.h"
#include "service/embed.h"

/* The userdata luvd.simulation, and what the files of luvd.testing.native share. */

/* The first argument; raises when it is none. NULL: closed. */
struct embed *simulation_embed(lua_State *L);
/* The same; raises when it is closed, too. */
struct embed *simulation_check(lua_State *L);
/* Pushes the text of err, or nil, and returns 1. */
int simulation_push_err(lua_State *L, const struct err *err);

/* simulation_ask.c */
void simulation_open_ask(lua_State *L); /* the metatable */
int simulation_l_ask(lua_State *L);
int simulation_l_answer(lua_State *L);

/* simulation_time.c */
void simulation_add_time(lua_State *L); /* methods, to the table on top */

/* simulation_connect.c */
int simulation_l_connect(lua_State *L);
int simulation_l_transmit(lua_State *L);
int simulation_l_take(lua_State *L);
int simulation_l_shut(lua_State *L);

#endif
