#ifndef LUVD_SERVICE_INTERPRETER_H
#define LUVD_SERVICE_INTERPRETER_H

#include <stdbool.h>
#include <stddef.h>

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

/* How lines are typed at the prompt. */
struct typing {
	void *data;
	/* A line that is good until the next one; NULL: there is no more, or Ctrl-C. */
	const char *(*line)(void *data, const char *prompt, size_t *length, bool *cancelled);
	void (*remember)(void *data, const char *text); /* in the history */
};

/* Runs what they say; returns the exit code. typing: NULL when nobody types. */
int interpreter_run(struct script *script, const struct interpreter_words *words,
		    const struct typing *typing);
/* For line: runs the loop until standard input can be read, or a signal has come and over() is
 * true. */
void interpreter_wait(struct script *script, bool (*over)(void));
/* What the last word of text may become, one a line; NULL: out of memory. free(3) it. */
char *interpreter_complete(struct script *script, const char *text, size_t length);

#endif
