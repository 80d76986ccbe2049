#ifndef LUVD_SERVICE_HTTP_TARGET_H
#define LUVD_SERVICE_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* The target of a request, RFC 9112 3.2: "/path?query", "http://host/path?query", or "*". */

struct target {
	const char *path; /* as it was sent, without the query; "/" when a full URL has none */
	size_t path_length;
	const char *query; /* NULL: there is no "?" */
	size_t query_length;
	const char *host; /* of a full URL, with its port: it outweighs the field; else NULL */
	size_t host_length;
	bool plain; /* the path is decoded and normal as it stands */
};

/* false: it is malformed. */
bool target_split(struct target *target, const char *bytes, size_t length);

/* The path decoded: "%41" is "A"; "." and empty segments are gone, ".." takes one away. out has
 * room for path_length bytes. Returns the length; 0: it has a wrong escape, an escaped NUL or
 * slash (whoever decodes later would see other segments), or leads above the root. */
size_t target_path(const struct target *target, char *out);

/* Decodes "%41" and, in queries and forms, "+" as a space. out has room for length bytes. Wrong
 * escapes stay as they are. Returns the length. */
size_t target_unescape(const char *bytes, size_t length, bool plus, char *out);

#endif
