#ifndef LUVD_SERVICE_HTTP_HEAD_FIELDS_H
#define LUVD_SERVICE_HTTP_HEAD_FIELDS_H

#include "service/http/head.h"

/* Between head.c, which finds the lines of a head, and head_fields.c, which reads their fields. */

static inline int head_refuse(struct head *head, int status, const char *reason)
{
	head->reason = reason;
	return status;
}

static inline bool head_is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* Without the spaces and tabs at both ends. */
static inline struct head_span head_trimmed(const char *bytes, size_t start, size_t end)
{
	while (start < end && head_is_space(bytes[start]))
		start++;
	while (end > start && head_is_space(bytes[end - 1]))
		end--;
	return (struct head_span){(uint16_t)start, (uint16_t)(end - start)};
}

/* Host, Content-Length, Transfer-Encoding, Connection and Expect, each alone and together:
 * HEAD_WHOLE, or the status that refuses them. */
int head_read_fields(struct head *head, const char *bytes);

#endif
