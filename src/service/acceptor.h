#ifndef LUVD_SERVICE_ACCEPTOR_H
#define LUVD_SERVICE_ACCEPTOR_H

#include "service/server.h"

struct conn_peer;

/* How connections come in: between server.c and acceptor.c. */

/* Watches the socket; 0 or uv's code. Accepting begins with acceptors_go_on. */
int acceptor_begin(struct acceptor *acceptor);
void acceptors_go_on(struct server *server);
/* Nothing more is accepted by this server. */
void acceptors_end(struct server *server);
/* Logs, once per burst, that the listener's idle_timeout is over for this peer. */
void acceptor_tell_idle(struct acceptor *acceptor, const struct conn_peer *peer);

#endif
