#ifndef LUVD_SERVICE_HTTP_REQUEST_H
#define LUVD_SERVICE_HTTP_REQUEST_H

#include "service/http/http.h"

/* What a handler is given: a userdata with the bytes of the head, which lives as long as the
 * service holds it. owner is there while the request is answered. */

enum {                   /* user values */
       REQUEST_TASK = 1, /* what task_anchor puts there */
       REQUEST_HEADERS,
       REQUEST_QUERY,
       REQUEST_PARAMS,
       REQUEST_BODY,
       REQUEST_EXTRA, /* what the service has set */
       REQUEST_VALUES = REQUEST_EXTRA
};

struct request {
	struct http_conn *owner; /* NULL: it has ended */
	uint64_t number;
	uint64_t began; /* clock_precise, when an access log is kept */
	uint32_t seed;
	uint8_t minor;
	bool queried; /* has a "?" */
	struct head_span method, target, path, query, host;
	unsigned char peer[sizeof((struct conn *)0)->peer];
	uint16_t count;
	const char *bytes; /* behind the fields, with the decoded path behind it */
	struct head_field fields[];
};

struct target;

/* Pushes a new one, or returns NULL: the path cannot be decoded, and nothing was pushed; a plain
 * one always can. Raises. */
struct request *request_create(lua_State *L, struct http_conn *hc, const struct head *head,
			       const char *bytes, const struct target *target);
/* The argument; raises when it is none. */
struct request *request_check(lua_State *L, int index);
void request_open(lua_State *L); /* the metatables */

enum { REQUEST_ID_MAX = 32 };
/* "5f3a9c21-42" */
const char *request_id(const struct request *request, char text[REQUEST_ID_MAX]);

/* headers.c */
void headers_open(lua_State *L);
void headers_push(lua_State *L, int request);

/* query.c: pushes the table of a query or form, decoded; of equal names the last one counts. */
void query_push(lua_State *L, const char *bytes, size_t length);
/* Pushes the list of all values of name. */
void query_push_all(lua_State *L, const char *bytes, size_t length, const char *name,
		    size_t name_length);

/* location.c: pushes the path of the request with a slash at its end, "/a b" as "/a%20b/", and its
 * query. The path is the decoded one, for what was sent may begin with two slashes, which is
 * another host. */
void location_push(lua_State *L, const struct request *request);

/* request_decode.c: what a whole body is given as. */
enum request_form { AS_TEXT, AS_JSON, AS_FORM };
/* The body on top becomes a value; returns how many are pushed. */
int request_decode(lua_State *L, enum request_form as);
/* Is the value of Content-Type, up to its parameters, this one? */
bool request_has_type(const struct request *request, const char *type);

/* request_body.c */
int request_l_body(lua_State *L);
int request_l_json(lua_State *L);
int request_l_form(lua_State *L);
int request_l_chunks(lua_State *L);
int request_l_failure(lua_State *L);

#endif
