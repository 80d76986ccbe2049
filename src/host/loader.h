#ifndef LUVD_HOST_LOADER_H
#define LUVD_HOST_LOADER_H

#include <uv.h>

#include "plan/daemon.h"

/* The short-lived process that reads a daemon file for a running daemon: luvd executed anew from
 * its kept file (`luvd loader`), so that nothing in a daemon file reaches the daemon but data. It
 * is told the source on its standard input and answers with a bundle, or with what is wrong.
 * Bounded in time, CPU time, memory and in what it may say (host/restrain); one at a time. For a
 * monitor it resolves users and folders anew, too. */

struct loader;

/* Begins each line of its standard error that is the path of a file on which its answer depends;
 * lines of spec/quote.h have QUOTE_MARK. */
enum { LOADER_SEEN = '\x1e', LOADER_SEEN_MAX = 512 };

/* tell: the spec (whose owner it then is), or why there is none. */
struct loader *loader_create(uv_loop_t *loop, struct daemon *daemon,
			     void (*tell)(void *data, struct spec *fresh, const struct err *err),
			     void *data, struct err *err);
int loader_start(struct loader *loader, struct err *err);
/* Ends the process if there is one; tell is not called any more. The loop must run until the
 * handles are gone before loader_destroy. */
void loader_close(struct loader *loader);
/* While tell runs, for an answer that is an error: paths of the files that were read or looked for,
 * NULL-terminated; NULL: unknown. */
char *const *loader_seen(const struct loader *loader);
/* Its process, which it waits for itself; 0: there is none. */
pid_t loader_pid(const struct loader *loader);
void loader_destroy(struct loader *loader);

#endif
