#ifndef LUVD_SERVICE_HTTP_STATUS_H
#define LUVD_SERVICE_HTTP_STATUS_H

/* "OK", "Not Found": the reason phrases of RFC 9110 15 and of its registry; "" for others. */
const char *status_phrase(int status);

#endif
