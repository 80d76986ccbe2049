#ifndef LUVD_SERVICE_EMBEDDED_H
#define LUVD_SERVICE_EMBEDDED_H

#include <stddef.h>

/* The modules of lua/luvd, made part of the binary by lua/embed.cmake. */
struct embedded {
	const char *name; /* "luvd.NAME", as required */
	const unsigned char *bytes;
	size_t length;
};

extern const struct embedded embedded_files[]; /* ends with a NULL name */

#endif
