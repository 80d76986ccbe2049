#ifndef LUVD_SPEC_QUOTE_H
#define LUVD_SPEC_QUOTE_H

#include "spec/spec.h"

/* The line of a file that an error is about, as people are shown it:
 *
 *       7 | umask = 22
 *         |         ^
 *
 * Only of files that were read for a daemon file, as they were then. */

enum { QUOTE_WIDTH = 100 }; /* of a longer line only what is around the caret is shown */

/* The line that err names, in where or at the beginning of what, and a caret beneath: at the value,
 * the key, the word that what names, or the first letter. NULL: it names none of these files. The
 * caller frees it. */
char *quote_make(const struct source *source, const struct module *modules, size_t count,
		 const struct err *err);
/* The same of all errors that have none yet, as errs->quotes. */
void quote_all(const struct source *source, const struct module *modules, size_t count,
	       struct errs *errs);
/* A loader process tells its errors as lines of text; a quote's lines begin with QUOTE_MARK, which
 * no text of an error has. Writes the lines of text to plain without quotes, and to full with them,
 * neither with marks; each is cut at size. */
enum { QUOTE_MARK = '\x1f' };
void quote_split(const char *text, char *plain, char *full, size_t size);
/* "echo.lua:7" in its two parts; 0 for no line. */
int quote_place(const char *where, size_t *name);

#endif
