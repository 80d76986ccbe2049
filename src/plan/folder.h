#ifndef LUVD_PLAN_FOLDER_H
#define LUVD_PLAN_FOLDER_H

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
/* Notes a folder that was made, for undo; over FOLDERS_MADE_MAX it is not noted. */
void folder_note(struct daemon *daemon, const char *path, size_t length, int fd);

#endif
