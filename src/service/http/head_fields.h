#ifndef LUVD_SERVICE_HTTP_HEAD_FIELDS_H
#define LUVD_SERVICE_HTTP_HEAD_FIELDS_H

#include "service/http/head.h"

/* Between head.c, which finds the lines of a head, and head_fields.c, which reads their fields. */

static inline int head_refuse(struct head *head, int status, const char *reason)
{
	head->reason = reason;
	return status;
}

bool head_is_space(char c);
/* Without the spaces and tabs at both ends. */
struct head_span head_trimmed(const char *bytes, size_t start, size_t end);
/* Host, Content-Length, Transfer-Encoding, Connection and Expect, each alone and together:
 * HEAD_WHOLE, or the status that refuses them. */
int head_read_fields(struct head *head, const char *bytes);

#endif
