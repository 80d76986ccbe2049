#ifndef LUVD_SERVICE_HTTP_URL_H
#define LUVD_SERVICE_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The URLs of http and https, RFC 3986 and RFC 9110 4.2, as a client needs them: absolute, with a
 * host that is a name or an address, in ASCII. What else the RFC allows (user and password, other
 * bytes in a host) is refused. */

enum { URL_MAX = 8000 };

struct url_span {
	size_t at, length;
};

struct url {
	bool secure;           /* https */
	bool brackets;         /* the host is an IPv6 address, which stands in them */
	struct url_span host;  /* without brackets */
	uint16_t port;         /* the scheme's own when none is given */
	struct url_span path;  /* empty: "/" */
	struct url_span query; /* with its "?"; empty: none */
};

/* NULL, or what is wrong: static. A fragment is passed over. */
const char *url_parse(struct url *url, const char *text, size_t length);

/* Writes the URL that a reference (of a Location field) means, seen from base, RFC 3986 5.2;
 * without its fragment. base has been parsed. Returns its length, or 0: it is longer than size. The
 * result is still to be parsed. */
size_t url_resolve(const char *base, const struct url *parsed, const char *reference, size_t length,
		   char *out, size_t size);

#endif
