#ifndef LUVD_PLAN_ADDRESS_H
#define LUVD_PLAN_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

/* Socket addresses as luvd writes them: "tcp://127.0.0.1:80", "udp://[::1]:53",
 * "unix:/run/x.sock", "unix:@abstract", "" for a unix socket without a name. */

enum { ADDRESS_TEXT_MAX = 160 };

/* type: SOCK_STREAM or SOCK_DGRAM. Writes at most size bytes with the closing 0; bytes that a
 * terminal would obey become "?". */
void address_text(const struct sockaddr_storage *address, socklen_t length, int type, char *text,
		  size_t size);

#endif
