#ifndef LUVD_SERVICE_TCP_H
#define LUVD_SERVICE_TCP_H

/* The options of every tcp connection: an answer in two writes does not wait for the peer's
 * acknowledgement of the first; a peer that vanished without a word is noticed after 10 minutes
 * of silence and 6 unanswered probes. Accepted sockets inherit them from the listening one. 0 or
 * an errno, negative. */
int tcp_set_options(int fd);

#endif
