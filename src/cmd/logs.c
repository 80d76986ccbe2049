#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/target.h"
#include "colour.h"
#include "format.h"

enum {
	FOLLOW_LINES = 10, /* that --follow begins with */
	LEVELS = LEVEL_ERROR + 1,
	LEVEL_AT = 25, /* column of the level in a text line */
	LEVEL_WIDTH = 5
};

/* The level of a text line, LEVELS for another one: "2026-11-22T13:40:05.123Z info  echo[7]: ..."
 */
static int level_of(const char *line, size_t length)
{
	int level = 0;

	if (length <= LEVEL_AT + LEVEL_WIDTH || line[LEVEL_AT - 2] != 'Z')
		return LEVELS;
	while (level < LEVELS && strncmp(line + LEVEL_AT, format_level((enum log_level)level),
					 strlen(format_level((enum log_level)level))) != 0)
		level++;
	return level;
}

/* The same bytes, with colours between them. */
static void print_coloured(const char *line, size_t length)
{
	const char *end = colour_begin(true, COLOUR_NONE);
	int level = level_of(line, length);

	if (level < LEVELS) {
		printf("%s%.*s%s%s%.*s%s", colour_begin(true, COLOUR_DIM), LEVEL_AT, line, end,
		       colour_begin(true, format_colour((enum log_level)level)), LEVEL_WIDTH,
		       line + LEVEL_AT, end);
		line += LEVEL_AT + LEVEL_WIDTH;
		length -= LEVEL_AT + LEVEL_WIDTH;
	}
	fwrite(line, 1, length, stdout);
}

/* Whole lines, as the log has them. */
static void print(void *data, const char *bytes, size_t length)
{
	const bool *coloured = data;

	while (*coloured && length) {
		const char *stop = memchr(bytes, '\n', length);
		size_t line = stop ? (size_t)(stop - bytes) + 1 : length;

		print_coloured(bytes, line);
		bytes += line;
		length -= line;
	}
	fwrite(bytes, 1, length, stdout);
	fflush(stdout);
}

static void request_of(const struct options *options, char *text, size_t size)
{
	int lines = options->lines < 0 && options->follow ? FOLLOW_LINES : options->lines;

	if (lines < 0)
		snprintf(text, size, "logs");
	else
		snprintf(text, size, "logs %s%d", options->follow ? "follow " : "", lines);
}

static int logs(const struct target *target, const struct options *options)
{
	struct err err = {0};
	struct answer answer;
	bool coloured = colour_wanted(STDOUT_FILENO, NULL);
	char request[64];

	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &err);
		return cmd_fail(&err);
	}
	if (target->recorded && !*target->record.control) {
		err_set(&err, "%s: has no control socket; its log is %s", target->name,
			target->record.log);
		return cmd_fail(&err);
	}
	request_of(options, request, sizeof request);
	/* With --follow the end of the daemon is the end of the lines. */
	if (target_ask(target, request, print, &coloured, options->follow ? -1 : ANSWER_MS, &answer,
		       &err) < 0)
		return cmd_fail(&err);
	return EXIT_DONE;
}

int cmd_logs(struct daemon *daemon, const struct options *options)
{
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = logs(&target, options);
	target_finish(&target);
	return code;
}
