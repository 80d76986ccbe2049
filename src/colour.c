#include "colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char no_color[] = "NO_COLOR", term[] = "TERM";

static const char *find(char *const *environment, const char *name)
{
	size_t length = strlen(name);

	if (!environment)
		return getenv(name);
	for (; *environment; environment++)
		if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=')
			return *environment + length + 1;
	return NULL;
}

bool colour_terminal(int fd)
{
	return isatty(fd) == 1;
}

bool colour_wanted(int fd, char *const *environment)
{
	const char *refused = find(environment, no_color), *kind = find(environment, term);

	return colour_terminal(fd) && !(refused && *refused) && kind && *kind &&
	       strcmp(kind, "dumb") != 0;
}

void colour_keep(char *const *environment)
{
	const char *const names[] = {no_color, term};

	for (size_t i = 0; i < 2; i++) {
		const char *value = find(environment, names[i]);

		/* Without memory there are no colours. */
		if (value)
			(void)setenv(names[i], value, 1);
	}
}

const char *colour_begin(bool wanted, enum colour colour)
{
	static const char *const codes[COLOURS] = {
	    [COLOUR_NONE] = "\x1b[0m",      [COLOUR_DIM] = "\x1b[2m",
	    [COLOUR_BOLD] = "\x1b[1m",      [COLOUR_RED] = "\x1b[1;31m",
	    [COLOUR_YELLOW] = "\x1b[1;33m", [COLOUR_GREEN] = "\x1b[32m",
	    [COLOUR_BLUE] = "\x1b[34m",
	};

	return wanted ? codes[colour] : "";
}
