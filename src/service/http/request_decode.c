#include <lauxlib.h>
#include <string.h>
#include <strings.h>

#include "service/http/request.h"
#include "service/json.h"

int request_decode(lua_State *L, enum request_form as)
{
	size_t length;
	const char *text = lua_tolstring(L, -1, &length);

	if (as == AS_JSON)
		return json_decode(L, text, length, NULL);
	if (as == AS_FORM)
		query_push(L, text, length);
	return 1;
}

bool request_has_type(const struct request *request, const char *type)
{
	size_t length = strlen(type);
	int index =
	    head_find(request->bytes, request->fields, request->count, "content-type", 12, 0);
	struct head_span value;

	if (index < 0)
		return false;
	value = request->fields[index].value;
	return value.length >= length &&
	       strncasecmp(request->bytes + value.at, type, length) == 0 &&
	       (value.length == length || strchr("; \t", request->bytes[value.at + length]));
}
