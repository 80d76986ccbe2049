#ifndef LUVD_SERVICE_GUISE_H
#define LUVD_SERVICE_GUISE_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "service/conn.h"

/* The sockets of a simulation: abstract unix sockets, whose names hold the address that each stands
 * for. So both ends know it, nothing is bound that anybody else could want, and a connection never
 * leaves the memory of this machine. A world is the part of a name that only one simulation has. */

enum { GUISE_ADDRESS_MAX = 108 };

/* The name of the socket that stands for address in world; its length, 0: it is too long. */
socklen_t guise_name(const char *world, const char *address, struct sockaddr_un *name);
/* The address that a socket of this name stands for; writes to text and returns it. NULL: it stands
 * for none. */
const char *guise_address(const struct sockaddr_storage *name, socklen_t length,
			  char text[GUISE_ADDRESS_MAX]);
/* An address as the peer of a connection: of tcp, else a unix socket's. */
struct conn_peer guise_peer(const char *address);
/* A bound socket, non-blocking, close-on-exec; -1 with errno. */
int guise_socket(const char *world, const char *address, int type);

#endif
