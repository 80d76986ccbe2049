#ifndef LUVD_SAY_H
#define LUVD_SAY_H

#include "err.h"

/* What luvd tells whoever has typed a command: "luvd: TEXT", and beneath it the line of the source
 * that is to blame. */

enum say_kind { SAY_ERROR, SAY_WARNING };

/* Writes it to fd at once, coloured when the user of that terminal wants it (environment: of
 * colour_wanted). quote: of spec/quote.h, or NULL. Control characters are escaped, but newlines and
 * tabs. */
void say(int fd, char *const *environment, enum say_kind kind, const struct err *err,
	 const char *quote);

#endif
