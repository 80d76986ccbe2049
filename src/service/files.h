#ifndef LUVD_SERVICE_FILES_H
#define LUVD_SERVICE_FILES_H

#include <lua.h>

/* Pushes daemon.files: what the daemon file declares under files, opened before privileges were
 * given up. Each is a file of luvd.fs that cannot be closed. */
void files_push(lua_State *L);

#endif
