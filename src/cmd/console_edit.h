#ifndef LUVD_CMD_CONSOLE_EDIT_H
#define LUVD_CMD_CONSOLE_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "spec/source.h"

/* Lines typed at a terminal, with editing, history and completion of libedit(3), which is loaded
 * for that alone: without it lines are read as they come. */

struct edit;

struct edit_calls {
	void *data;
	/* What could stand in the place of the last word before the cursor, a line each, of
	 * malloc(3); NULL: nothing. */
	char *(*complete)(void *data, const char *text, size_t length);
	/* Returns when standard input can be read, or over() after a signal. NULL: reading waits.
	 */
	void (*wait)(void *data, bool (*over)(void));
};

/* NULL: out of memory. */
struct edit *edit_open(const struct source *source, const struct edit_calls *calls);
/* The next line with its newline, until the next call; NULL at the end. Ctrl-C gives an empty
 * one and *cancelled. */
const char *edit_line(struct edit *edit, const char *prompt, size_t *length, bool *cancelled);
/* Keeps text, without its last newline, as one entry of the history. */
void edit_remember(struct edit *edit, const char *text);
/* Writes the history: for who may not come to edit_close. */
void edit_save(struct edit *edit);
/* The same, and frees it. */
void edit_close(struct edit *edit); /* accepts NULL */

/* --- for tests --- */

/* Of candidates, a line each: the bytes that all have in common, and how many there are. */
size_t edit_common(const char *candidates, size_t *count);
/* Where the last word of text begins: a name with its dots and colons. */
size_t edit_word(const char *text, size_t length);

#endif
