#ifndef LUVD_SERVICE_HTTP_FILE_FIELDS_H
#define LUVD_SERVICE_HTTP_FILE_FIELDS_H

#include "service/http/condition.h"
#include "service/http/request.h"

/* What the head of an answer with a file says. The condition has the file's side. */

/* The status: that of the service, unless it is 200 and the request has conditions or a range,
 * which is *first to *last then. */
int file_status(const struct request *request, int status, struct condition *condition,
		uint64_t *first, uint64_t *last);

/* ETag, Accept-Ranges, Last-Modified, Content-Range: less than ANSWER_EXTRA_MAX bytes. */
void file_write_fields(char *at, int status, const struct condition *condition, uint64_t first,
		       uint64_t last);

#endif
