#ifndef LUVD_SERVICE_INTERPRETER_H
#define LUVD_SERVICE_INTERPRETER_H

#include <stdbool.h>

/* What luvd lua does with its words: the options of lua(1). */

struct script;

enum interpreter_mode {
	INTERPRETER_PROMPTS = 1,  /* -i */
	INTERPRETER_TELLS = 2,    /* -v, -i: the version */
	INTERPRETER_EXECUTES = 4, /* -e */
	INTERPRETER_BARE = 8      /* -E: no notice of environment variables */
};

struct interpreter_words {
	const char *program; /* as errors name it */
	const char *self;    /* lowest in arg: what runs again */
	char **words;        /* after the program; NULL-terminated */
	unsigned modes;      /* enum interpreter_mode */
	char **script;       /* where it is in words; at their end: none */
};

/* Reads the options: fills modes and script. Returns NULL, or the word that is wrong. */
const char *interpreter_read(struct interpreter_words *words);
/* Why it is wrong, and the usage, to standard error. */
void interpreter_usage(const struct interpreter_words *words, const char *wrong);
/* The next of -e, -l and -W among the options from *at on: its letter, with its value, and *at is
 * moved behind it; 0: there is no more. */
char interpreter_next(const struct interpreter_words *words, char ***at, char **value);

/* Runs what they say; returns the exit code. */
int interpreter_run(struct script *script, const struct interpreter_words *words);

#endif
