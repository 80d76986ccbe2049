#ifndef LUVD_SERVICE_LOG_JSON_H
#define LUVD_SERVICE_LOG_JSON_H

#include <lua.h>
#include <stdio.h>

/* A field of a log line as JSON: cut where it is deep or has many values, for a line must be
 * written whatever it says. May raise: a value's __tostring does. */
void log_json_write(lua_State *L, int index, FILE *out);

#endif
