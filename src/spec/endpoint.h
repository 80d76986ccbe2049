#ifndef LUVD_SPEC_ENDPOINT_H
#define LUVD_SPEC_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* "tcp://HOST:PORT" and "udp://HOST:PORT" taken apart, without memory of its own; an IPv6 address
 * stands in brackets (RFC 3986, section 3.2.2). */

enum { ENDPOINT_HOST_MAX = 254 }; /* a host's name, RFC 1035, and the closing 0 */

struct endpoint {
	int type;      /* SOCK_STREAM or SOCK_DGRAM */
	bool brackets; /* the host stood in them */
	char host[ENDPOINT_HOST_MAX];
	uint16_t port;
};

enum endpoint_problem {
	ENDPOINT_RIGHT,
	ENDPOINT_FORM, /* not SCHEME://HOST:PORT */
	ENDPOINT_PORT  /* the port alone is wrong */
};

/* The host may be anything yet. */
enum endpoint_problem endpoint_parse(const char *text, size_t length, struct endpoint *endpoint);
/* The host as an IP address of its family; false when it is a name. Fills address and length. */
bool endpoint_address(const struct endpoint *endpoint, struct sockaddr_storage *address,
		      socklen_t *length);

#endif
