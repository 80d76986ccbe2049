#ifndef LUVD_COLOUR_H
#define LUVD_COLOUR_H

#include <stdbool.h>

/* Colours of a terminal, and who gets them: the only place that decides. Nothing but SGR, ECMA-48
 * 8.3.117, so that what is copied, resized or recorded stays readable. */

enum colour {
	COLOUR_NONE, /* ends the one before */
	COLOUR_DIM,
	COLOUR_BOLD,
	COLOUR_RED,
	COLOUR_YELLOW,
	COLOUR_GREEN,
	COLOUR_BLUE,
	COLOURS
};

/* Is fd a terminal? */
bool colour_terminal(int fd);
/* Is it one whose user wants colours: not with NO_COLOR set and not empty (https://no-color.org),
 * nor with TERM absent or "dumb"? environment: "NAME=value", NULL-terminated; NULL: the process's.
 */
bool colour_wanted(int fd, char *const *environment);
/* The row context has emptied the environment: what colour_wanted asks it for is put back. */
void colour_keep(char *const *environment);
/* The bytes that begin a colour; "" when they are not wanted. */
const char *colour_begin(bool wanted, enum colour colour);

#endif
