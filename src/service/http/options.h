#ifndef LUVD_SERVICE_HTTP_OPTIONS_H
#define LUVD_SERVICE_HTTP_OPTIONS_H

#include "service/http/http.h"

/* Fills the options from the table at index, or nil: the defaults. Raises. A function that takes
 * the access log is pushed, else nil. */
void options_read(lua_State *L, int index, struct http_options *options);

#endif
