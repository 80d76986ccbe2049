#ifndef LUVD_SERVICE_VM_CLOSE_H
#define LUVD_SERVICE_VM_CLOSE_H

#include <stddef.h>
#include <uv.h>

struct vm;

/* Cancels all tasks and closes all that Lua has opened; may be called again. */
void vm_close_all(struct vm *vm);
/* The same, and runs the loop until all of it is gone. beat is a timer of the caller's, the last
 * handle that is not closed. Returns how many requests are left in the thread pool, which may take
 * their time: at most a second. Not from inside the loop. */
size_t vm_shut(struct vm *vm, uv_timer_t *beat);

#endif
