#ifndef LUVD_SERVICE_ACCEPTOR_H
#define LUVD_SERVICE_ACCEPTOR_H

#include "service/server.h"

/* How connections come in: between server.c and acceptor.c. */

/* Watches the socket; 0 or uv's code. Accepting begins with acceptors_go_on. */
int acceptor_begin(struct acceptor *acceptor);
void acceptors_go_on(struct server *server);
/* Nothing more is accepted by this server. */
void acceptors_end(struct server *server);

#endif
