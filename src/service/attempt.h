#ifndef LUVD_SERVICE_ATTEMPT_H
#define LUVD_SERVICE_ATTEMPT_H

#include <sys/socket.h>

/* One socket that connects to one address. */

struct vm;
struct attempt;

/* Begins. Once it is known how it went, done is told from the loop with 0 or an errno; the attempt
 * is to be ended then too. NULL with an errno in *error: it has failed already, or could not be
 * begun; EAGAIN: the queue of a unix listener is full, connect(2). */
struct attempt *attempt_begin(struct vm *vm, const struct sockaddr_storage *address,
			      socklen_t length, void (*done)(void *data, int error), void *data,
			      int *error);
/* Ends it and closes its descriptor; nobody is told any more. NULL: nothing. */
void attempt_end(struct attempt *attempt);
/* The same, but the descriptor is the caller's. */
int attempt_take(struct attempt *attempt);

#endif
