#ifndef LUVD_SERVICE_JSON_READER_H
#define LUVD_SERVICE_JSON_READER_H

#include <lua.h>
#include <stdbool.h>

#include "service/json.h"

/* A text that is being decoded. */
struct reader {
	lua_State *L;
	const char *text, *at, *end;
	const char *wrong; /* what is, at `at` */
	int depth;         /* that are still allowed */
	struct json_limits limits;
	int null, mark; /* indices in the stack */
};

/* Always false. wrong is a literal, or a string on the stack. */
bool reader_fail(struct reader *r, const char *wrong);
/* Pushes the string whose first quote is at r->at. */
bool reader_string(struct reader *r);

#endif
