#ifndef LUVD_CMD_FRESH_H
#define LUVD_CMD_FRESH_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

/* A folder that is filled, and what was made for it: all of it goes again when that fails. */
struct fresh {
	const char *folder; /* as it was named */
	int fd;             /* of the folder; -1: not open */
	bool own;           /* the folder itself was made, too */
	char **paths;       /* of files and folders in it, as they were made */
	size_t count;
};

enum { FRESH_MAX = 32 };

/* Makes the folder, or takes one that is there when it is empty. 0, or -1 with err. Modes are those
 * that the caller's umask leaves. */
int fresh_folder(struct fresh *fresh, const char *folder, struct err *err);
/* Makes a file in it, which must not be there, and the folder that its path names. */
int fresh_file(struct fresh *fresh, const char *path, const char *text, struct err *err);
/* Removes what was made. */
void fresh_undo(struct fresh *fresh);
/* Closes and frees; what was made stays. */
void fresh_finish(struct fresh *fresh);

#endif
