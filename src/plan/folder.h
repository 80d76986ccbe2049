#ifndef LUVD_PLAN_FOLDER_H
#define LUVD_PLAN_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "err.h"

struct daemon;

/* Folders by descriptor, one component at a time, so that nobody can exchange one under us. A
 * symbolic link on the way is followed only where a stranger cannot have put it: in a folder of
 * root or ourselves that others cannot write to, or in a sticky one when the link is root's or
 * ours. */

/* Opens the folder that path lies in (O_PATH) and points *name at the last component. self: our
 * effective uid. The folder must exist. */
int folder_of(const char *path, uid_t self, const char **name, struct err *err);
/* Opens the folder path itself; the missing ones on the way, but not the last one, are made: 0755
 * by root, else 0700, noted in daemon->folders_made. Returns the folder that path lies in. */
int folder_of_making(struct daemon *daemon, const char *path, const char **name, struct err *err);
/* Removes the folders that were made, innermost first, as far as nothing lies in them. */
void folders_discard(const struct daemon *daemon);
/* Makes name in folder, unless it is there, and opens it (O_RDONLY: its mode and owner can be set).
 * A folder that is made is noted for undo; the first length bytes of path are its name. *made, when
 * not NULL, tells whether it was. -1 with errno. */
int folder_make(struct daemon *daemon, int folder, const char *name, const char *path,
		size_t length, bool *made);

#endif
