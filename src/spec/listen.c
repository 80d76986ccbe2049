#include "spec/listen.h"

#include <netinet/in.h>
#include <string.h>

#include "spec/address.h"
#include "spec/check.h"
#include "spec/kinds.h"

/* The most that the arena is asked for: each text that may be an address becomes its parts, whose
 * texts are those of numbers or have the folder in front. The commands' arena ends the process when
 * memory is out, so all of it is there before. */
static size_t room_for(const struct value *value, size_t folder)
{
	enum { PART = sizeof(struct address) + INET6_ADDRSTRLEN + 64 };
	size_t room = 0;

	if (value->type == VALUE_STRING)
		return 2 * (folder + value->as.string.length) + (size_t)ADDRESS_PARTS_MAX * PART;
	for (size_t i = 0; value->type == VALUE_TABLE && i < value->as.table.count; i++)
		room += PART + room_for(&value->as.table.pairs[i].value, folder);
	return room;
}

int listen_read(struct arena *arena, const char *folder, const struct value *table,
		struct listen *listen, struct errs *errs)
{
	static char nowhere[] = "";
	struct spec spec = {.source = {.path = nowhere, .shown = nowhere}};
	struct check check = {.spec = &spec, .arena = arena, .errs = errs, .folder = folder};
	const struct field *row = field_below("listen", "NAME");

	if (arena_reserve(arena, room_for(table, strlen(folder))) < 0 || errs_reserve(errs) < 0)
		return -1;
	row->kind->put(&check, row, "", listen, table);
	return errs->count + errs->dropped > 0 ? -1 : 0;
}
