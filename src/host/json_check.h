#ifndef LUVD_HOST_JSON_CHECK_H
#define LUVD_HOST_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

enum { JSON_CHECK_DEPTH = 256 }; /* of arrays and objects */

/* Is it one JSON value (RFC 8259) of well-formed UTF-8 without a control character, so that it can
 * stand in a line of the log as it is? */
bool json_is_one_line(const char *bytes, size_t length);

#endif
