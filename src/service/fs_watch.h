#ifndef LUVD_SERVICE_FS_WATCH_H
#define LUVD_SERVICE_FS_WATCH_H

#include <lua.h>

struct vm;
struct census;

/* fs.watch(path, function) -> watcher: close(). What happens before the service is ready is told
 * then; when stop begins all are closed. */
int fs_l_watch(lua_State *L);
void fs_watches_open(lua_State *L);
void fs_watchers_begin(struct vm *vm);
void fs_watchers_close(struct vm *vm);
void fs_watchers_tell(struct vm *vm, struct census *census);

#endif
