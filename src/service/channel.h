#ifndef LUVD_SERVICE_CHANNEL_H
#define LUVD_SERVICE_CHANNEL_H

#include <lua.h>

/* luvd.channel: values from task to task, in order, at most capacity of them unreceived. */

void channels_open(lua_State *L); /* the metatable */
/* task.channel([capacity]) */
int channel_l_channel(lua_State *L);

#endif
