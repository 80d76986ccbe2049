#include "spec/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { SCHEME = 6 }; /* "tcp://" */

static int parse_port(const char *text, size_t length, uint16_t *port)
{
	unsigned number = 0;

	if (length < 1 || length > 5)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		number = number * 10 + (unsigned)(text[i] - '0');
	}
	if (number > 65535)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

/* Where the host ends, in "HOST:PORT" or "[HOST]:PORT"; NULL when this is neither. */
static const char *host_end(const char *text, size_t length)
{
	const char *end, *colon;

	if (length == 0)
		return NULL;
	if (text[0] == '[') {
		end = memchr(text, ']', length);
		return end && end + 1 < text + length && end[1] == ':' ? end : NULL;
	}
	colon = memchr(text, ':', length);
	if (!colon || memchr(colon + 1, ':', (size_t)(text + length - colon - 1)))
		return NULL;
	return colon;
}

enum endpoint_problem endpoint_parse(const char *text, size_t length, struct endpoint *endpoint)
{
	const char *host = text + SCHEME, *end, *port;

	if (length < SCHEME ||
	    (memcmp(text, "tcp://", SCHEME) != 0 && memcmp(text, "udp://", SCHEME) != 0))
		return ENDPOINT_FORM;
	*endpoint = (struct endpoint){.type = text[0] == 't' ? SOCK_STREAM : SOCK_DGRAM};
	end = host_end(host, length - SCHEME);
	if (!end)
		return ENDPOINT_FORM;
	endpoint->brackets = *end == ']';
	host += endpoint->brackets;
	port = end + 1 + endpoint->brackets;
	if (end == host || end - host >= ENDPOINT_HOST_MAX || memchr(host, 0, (size_t)(end - host)))
		return ENDPOINT_FORM;
	memcpy(endpoint->host, host, (size_t)(end - host));
	if (parse_port(port, (size_t)(text + length - port), &endpoint->port) < 0)
		return ENDPOINT_PORT;
	return ENDPOINT_RIGHT;
}

bool endpoint_address(const struct endpoint *endpoint, struct sockaddr_storage *address,
		      socklen_t *length)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	struct sockaddr_in *four = (struct sockaddr_in *)address;

	memset(address, 0, sizeof *address);
	if (endpoint->brackets) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(endpoint->port);
		*length = sizeof *six;
		return inet_pton(AF_INET6, endpoint->host, &six->sin6_addr) == 1;
	}
	four->sin_family = AF_INET;
	four->sin_port = htons(endpoint->port);
	*length = sizeof *four;
	return inet_pton(AF_INET, endpoint->host, &four->sin_addr) == 1;
}
