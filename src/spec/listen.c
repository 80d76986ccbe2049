#include "spec/listen.h"

#include "spec/check.h"
#include "spec/kinds.h"

int listen_read(struct arena *arena, const char *folder, const struct value *table,
		struct listen *listen, struct errs *errs)
{
	static char nowhere[] = "";
	struct spec spec = {.source = {.path = nowhere, .shown = nowhere}};
	struct check check = {.spec = &spec, .arena = arena, .errs = errs, .folder = folder};
	const struct field *row = field_below("listen", "NAME");

	row->kind->put(&check, row, "", listen, table);
	return errs->count + errs->dropped > 0 ? -1 : 0;
}
