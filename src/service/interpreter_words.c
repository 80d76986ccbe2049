#include "service/interpreter.h"

#include <stdio.h>
#include <string.h>

/* The value of -eVALUE or -e VALUE; NULL: there is none. */
static char *value_of(char **at)
{
	char *next = at[1];

	if (at[0][2])
		return at[0] + 2;
	return next && next[0] != '-' ? next : NULL;
}

static bool takes_value(const char *word)
{
	return word[1] == 'e' || word[1] == 'l';
}

static bool take(struct interpreter_words *words, char ***at)
{
	static const struct {
		char letter;
		unsigned modes;
	} flags[] = {{'E', INTERPRETER_BARE},
		     {'i', INTERPRETER_PROMPTS | INTERPRETER_TELLS},
		     {'v', INTERPRETER_TELLS},
		     {'W', 0}};
	const char *word = **at;

	if (takes_value(word)) {
		if (word[1] == 'e')
			words->modes |= INTERPRETER_EXECUTES;
		if (!value_of(*at))
			return false;
		*at += word[2] ? 1 : 2;
		return true;
	}
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
		if (word[1] != flags[i].letter || word[2])
			continue;
		words->modes |= flags[i].modes;
		(*at)++;
		return true;
	}
	return false;
}

const char *interpreter_read(struct interpreter_words *words)
{
	char **at = words->words;

	words->modes = 0;
	while (*at && (*at)[0] == '-' && (*at)[1]) {
		if (strcmp(*at, "--") == 0) {
			at++;
			break;
		}
		if (!take(words, &at))
			return *at;
	}
	words->script = at;
	return NULL;
}

char interpreter_next(const struct interpreter_words *words, char ***at, char **value)
{
	while (*at < words->script && **at) {
		char *word = **at;
		bool apart = takes_value(word) && !word[2];

		*value = takes_value(word) ? value_of(*at) : NULL;
		*at += apart ? 2 : 1;
		if (*value || word[1] == 'W')
			return word[1];
	}
	return 0;
}

void interpreter_usage(const struct interpreter_words *words, const char *wrong)
{
	bool valued = wrong[1] == 'e' || wrong[1] == 'l';

	fprintf(stderr, valued ? "%s: '%s' needs argument\n" : "%s: unrecognized option '%s'\n",
		words->program, wrong);
	fprintf(stderr,
		"usage: %s [options] [script [args]]\n"
		"  -e code   execute this Lua\n"
		"  -i        go on at a prompt after the script\n"
		"  -l name   require this module into the global of its name; global=name too\n"
		"  -v        tell the version\n"
		"  -E        take no notice of environment variables\n"
		"  -W        turn warnings on\n"
		"  --        no option follows\n"
		"  -         execute standard input, no option follows\n",
		words->program);
}
