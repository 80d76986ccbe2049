#ifndef LUVD_CMD_TEMPLATE_H
#define LUVD_CMD_TEMPLATE_H

#include "err.h"
#include "service/embedded.h"

/* What `luvd new` makes a daemon of: the files of lua/templates/any and of the template's own
 * folder.
 */
struct template
{
	const char *name;    /* "http"; its folder in lua/templates/ */
	const char *about;   /* what the daemon does, in one line */
	const char *attempt; /* a command that tries the daemon, which runs */
};

extern const struct template templates[]; /* ends with a NULL name; the first is the default */

/* The files of all templates, "http/spec/NAME_spec.lua"; ends with a NULL name. "dot." at the
 * beginning of a name stands for ".". */
extern const struct embedded template_files[];

/* The row of a template; the first one when name is NULL. NULL with err when there is none. */
const struct template *template_find(const char *name, struct err *err);

/* What a template is filled in with: @NAME@ and so on in its texts. */
struct blanks {
	const struct template *template;
	const char *name;  /* of the daemon: @NAME@, and NAME in the names of files */
	const char *types; /* the folder of luvd's types for editors, NULL: not found; @TYPES@ */
};

/* The path of this file in the new daemon's folder, to be freed; NULL with err: out of memory. Not
 * a file of this template: NULL, and err is not touched. */
char *template_path(const struct embedded *file, const struct blanks *blanks, struct err *err);
/* A text with its blanks filled in, to be freed; NULL with err: out of memory. */
char *template_text(const char *bytes, size_t length, const struct blanks *blanks, struct err *err);

#endif
