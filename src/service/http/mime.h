#ifndef LUVD_SERVICE_HTTP_MIME_H
#define LUVD_SERVICE_HTTP_MIME_H

/* The Content-Type of a file, by the extension of its name; "application/octet-stream" for others.
 * Texts are said to be UTF-8. Media types: the registry of IANA, RFC 6838. */
const char *mime_type(const char *path);

#endif
