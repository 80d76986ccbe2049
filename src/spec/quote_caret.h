#ifndef LUVD_SPEC_QUOTE_CARET_H
#define LUVD_SPEC_QUOTE_CARET_H

#include <stddef.h>

#include "err.h"

/* Where in its line an error is: for quote alone. */

struct quote_line {
	const char *bytes;
	size_t length; /* without its end */
	int number;    /* from 1 */
};

/* The byte that the caret belongs under, at most length: the value of err->key, the key itself, the
 * word that err->what names, or the first letter. */
size_t quote_caret(const struct quote_line *line, const struct err *err);

#endif
