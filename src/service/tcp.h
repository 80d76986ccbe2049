#ifndef LUVD_SERVICE_TCP_H
#define LUVD_SERVICE_TCP_H

#include <stdint.h>

/* The options of every tcp connection: an answer in two writes does not wait for the peer's
 * acknowledgement of the first; a peer that vanished without a word is noticed after 10 minutes
 * of silence and 6 unanswered probes. Accepted sockets inherit them from the listening one. 0 or
 * an errno, negative. */
int tcp_set_options(int fd);
/* For how many milliseconds the kernel may go on with what the peer does not take, also after the
 * close: TCP_USER_TIMEOUT in tcp(7). 0: as long as the kernel likes. */
void tcp_bound_sending(int fd, int64_t most);

#endif
