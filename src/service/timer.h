#ifndef LUVD_SERVICE_TIMER_H
#define LUVD_SERVICE_TIMER_H

#include <lua.h>

struct vm;
struct census;

/* luvd.every(duration, function) -> timer: set(duration), close(). Registered before the service
 * is ready, it begins then; when stop begins all are disarmed. */
int timer_every(lua_State *L);
/* luvd.cron(expression, function [, { utc = true }]) -> timer: set(expression), close(). */
int timer_cron(lua_State *L);
void timers_open(lua_State *L);
void timers_begin(struct vm *vm);
void timers_end(struct vm *vm);
/* Closes all for good. */
void timers_close(struct vm *vm);
void timers_tell(struct vm *vm, struct census *census);

#endif
