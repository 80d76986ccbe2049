#ifndef LUVD_UNIT_PLACES_H
#define LUVD_UNIT_PLACES_H

#include "unit/unit.h"

/* Where in the file system a daemon has to do with something, as far as its daemon file says. */

enum place_use {
	PLACE_READ,   /* read or executed; a folder: what lies in it */
	PLACE_MAKES,  /* made, replaced or removed: its folder is written to */
	PLACE_FOLDER, /* a folder that luvd makes when it is missing, and that is written to */
	PLACE_ROOT    /* the root of the service: written to as far as its user may */
};

struct place {
	const char *path; /* absolute; borrowed */
	enum place_use use;
};

/* Calls see for each place until one returns false. True: none has. */
bool places_each(const struct unit *unit, bool (*see)(void *data, const struct place *place),
		 void *data);
/* Is path folder, or below it? */
bool place_is_below(const char *path, const char *folder);
/* Does any place lie below one of these folders? They end with NULL. */
bool places_below(const struct unit *unit, const char *const *folders);

/* Folders that are written to: no doubles, none below another. */
struct written {
	char **folders;
	size_t count;
};

int written_make(struct written *written, const struct unit *unit, struct err *err);
void written_finish(struct written *written);

#endif
