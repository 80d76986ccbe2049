#include "service/http/file_fields.h"

#include <stdio.h>
#include <string.h>

#include "service/http/reply.h"

static struct condition_field field_of(const struct request *request, const char *name)
{
	int index =
	    head_find(request->bytes, request->fields, request->count, name, strlen(name), 0);
	struct head_span value;

	if (index < 0)
		return (struct condition_field){0};
	value = request->fields[index].value;
	return (struct condition_field){request->bytes + value.at, value.length};
}

/* A range is a matter of GET, RFC 9110 14.2; with a status of its own nothing is asked. */
int file_status(const struct request *request, int status, struct condition *condition,
		uint64_t *first, uint64_t *last)
{
	const char *method = request->bytes + request->method.at;
	bool get = request->method.length == 3 && memcmp(method, "GET", 3) == 0;
	bool head = request->method.length == 4 && memcmp(method, "HEAD", 4) == 0;

	if (status != 200 || (!get && !head))
		return status;
	condition->none_match = field_of(request, "if-none-match");
	condition->modified_since = field_of(request, "if-modified-since");
	if (get) {
		condition->range = field_of(request, "range");
		condition->if_range = field_of(request, "if-range");
	}
	return condition_status(condition, first, last);
}

void file_write_fields(char *at, int status, const struct condition *condition, uint64_t first,
		       uint64_t last)
{
	char tag[CONDITION_TAG_MAX];
	unsigned long long size = condition->size;

	condition_tag(condition, tag);
	at += sprintf(at, "ETag: %s\r\nAccept-Ranges: bytes\r\nLast-Modified: ", tag);
	at = stpcpy(reply_time(at, condition->modified.tv_sec), "\r\n");
	if (status == 206)
		sprintf(at, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
			(unsigned long long)last, size);
	else if (status == 416)
		sprintf(at, "Content-Range: bytes */%llu\r\n", size);
}
