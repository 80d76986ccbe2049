#ifndef LUVD_HOST_KEEPER_H
#define LUVD_HOST_KEEPER_H

#include "plan/daemon.h"

/* `luvd run --watch`: a start that fails waits for a change of a file and is tried again. Each is
 * tried in a child, so that nothing of one that has failed is left for the next; once it is ready,
 * the keeper passes signals on and ends as it ends. */

/* Calls begin in a child, and again. Returns in the child what begin has returned, in the keeper
 * the exit code; it may end by the signal that the child has ended by. */
int keeper_run(struct daemon *daemon, int (*begin)(void *data), void *data);
/* In the child: these files decide whether it can start. NULL-terminated; NULL: nothing is known.
 */
void keeper_files(struct daemon *daemon, char *const *paths);
/* In the child: it runs, or was told to stop, and is not started again. Does nothing without a
 * keeper. */
void keeper_leave(struct daemon *daemon);

#endif
