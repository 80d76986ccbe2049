#ifndef LUVD_CMD_MANUAL_H
#define LUVD_CMD_MANUAL_H

/* What a command's help says beyond its line in main's table: data alone. `--help`, `luvd help
 * --json` and with it the man pages and completions come from here. A command that a user may call
 * and that has no row here fails a test. */

enum {
	MANUAL_CODES = 6,   /* one more than a row may have */
	MANUAL_EXAMPLES = 4 /* the same */
};

struct exit_meaning {
	int code;
	const char *means; /* NULL: the list's end */
};

/* A line as it is typed, in a folder with a daemon file hello.lua; a spec runs each. */
struct example {
	const char *line; /* NULL: the list's end */
	const char *does;
};

struct manual {
	const char *command;
	const char *
	    text; /* what it does: sentences, `code` between backticks, "\n\n" between paragraphs */
	struct exit_meaning codes[MANUAL_CODES];
	struct example examples[MANUAL_EXAMPLES];
};

extern const struct manual manuals[]; /* ends with a NULL command */

/* An option that a command reads itself (OPTION_RAW). */
struct own_option {
	const char *command;
	const char *name;  /* "--watch", "-e" */
	const char *value; /* NULL: none */
	const char *help;
};

extern const struct own_option own_options[]; /* ends with a NULL command */

/* All values of an option, with a space between them; NULL: it takes others too, or none. */
const char *manual_choices(const char *option);
/* The row of a command; NULL: none. */
const struct manual *manual_find(const char *command);

#endif
