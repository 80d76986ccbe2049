#ifndef LUVD_SERVICE_SERVICE_H
#define LUVD_SERVICE_SERVICE_H

#include <lua.h>
#include <stdbool.h>

#include "err.h"

struct vm;

/* Evaluates the service: for an inline one the daemon file for the second time, of which only
 * the functions of its service are taken, else the service's module from the bundle. */
int service_load(struct vm *vm, struct err *err);
/* Pushes the function of this name and true, or nothing and false. */
bool service_push(lua_State *L, const char *name);

#endif
