#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/console_edit.h"
#include "cmd/console_session.h"
#include "host/control.h"

/* The Lua that has been typed and not yet evaluated: lines until they are a whole. */
struct chunk {
	char *text;
	size_t length;
};

struct console {
	struct session session;
	struct chunk chunk;
	struct edit *edit; /* NULL: nobody types */
	struct err err;
	int code;
	bool over;
};

static int chunk_add(struct chunk *chunk, const char *text, size_t length)
{
	char *grown = realloc(chunk->text, chunk->length + length + 1);

	if (!grown)
		return -1;
	chunk->text = grown;
	memcpy(grown + chunk->length, text, length);
	chunk->length += length;
	grown[chunk->length] = 0;
	return 0;
}

static void chunk_drop(struct chunk *chunk)
{
	free(chunk->text);
	*chunk = (struct chunk){0};
}

static void put(FILE *out, const char *text)
{
	size_t length = strlen(text);

	fwrite(text, 1, length, out);
	if (length > 0 && text[length - 1] != '\n')
		fputc('\n', out);
	fflush(out);
}

/* The conversation is over, not by the user's wish. */
static void lose(struct console *console)
{
	console->over = true;
	console->code = cmd_fail(&console->err);
}

/* A text that has no end yet stays, unless there will be no more of it. */
static void evaluate(struct console *console, bool last)
{
	struct chunk *chunk = &console->chunk;
	char *answer = NULL;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): console keeps the text */
	int result =
	    session_evaluate(&console->session, chunk->text, chunk->length, &answer, &console->err);

	if (result < 0) {
		lose(console);
	} else if (result == 1 && !last && session_is_unfinished(answer)) {
		free(answer);
		return;
	} else if (result == 1) {
		put(stderr, answer);
		console->code = EXIT_FAILED;
	} else {
		put(stdout, answer);
	}
	free(answer);
	if (console->edit)
		edit_remember(console->edit, chunk->text);
	chunk_drop(chunk);
}

static void add(struct console *console, const char *line, size_t length)
{
	if (chunk_add(&console->chunk, line, length) == 0)
		return;
	err_sys(&console->err, "cannot read the text");
	lose(console);
}

/* --- at a terminal --- */

static char *complete(void *data, const char *text, size_t length)
{
	return session_complete(data, text, length);
}

static void type(struct console *console, const char *name)
{
	char first[64];

	snprintf(first, sizeof first, "%.60s> ", name);
	while (!console->over) {
		bool cancelled;
		size_t length;
		const char *line = edit_line(console->edit, console->chunk.text ? ">> " : first,
					     &length, &cancelled);

		if (!line)
			break;
		if (cancelled) {
			chunk_drop(&console->chunk);
			fputc('\n', stdout);
		} else if (console->chunk.text || line[strspn(line, " \t\r\n")]) {
			add(console, line, length);
			evaluate(console, false);
		}
	}
	if (!console->over) {
		console->code = EXIT_DONE; /* what went wrong was seen */
		fputc('\n', stdout);
	}
}

static void at_terminal(struct console *console, const struct daemon *daemon, const char *name)
{
	const struct edit_calls calls = {&console->session, complete, NULL};
	/* Ctrl-C cancels a line; while Lua runs it ends the console. */
	console->edit = edit_open(&daemon->source, &calls);
	if (!console->edit) {
		err_sys(&console->err, "cannot read from the terminal");
		lose(console);
		return;
	}
	printf("%s; Ctrl-D leaves\n", console->session.place);
	type(console, name);
	edit_close(console->edit);
}

/* --- from a pipe, or the command line --- */

static void read_lines(struct console *console)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t length;

	while (!console->over && console->code == EXIT_DONE &&
	       (length = getline(&line, &size, stdin)) > 0) {
		add(console, line, (size_t)length);
		if (!console->over && console->chunk.text[strspn(console->chunk.text, " \t\r\n")])
			evaluate(console, false);
	}
	free(line);
	if (!console->over && console->code == EXIT_DONE && console->chunk.text &&
	    console->chunk.text[strspn(console->chunk.text, " \t\r\n")])
		evaluate(console, true);
}

static void take_codes(struct console *console, const char *const *codes)
{
	for (; *codes && !console->over && console->code == EXIT_DONE; codes++) {
		add(console, *codes, strlen(*codes));
		if (!console->over)
			evaluate(console, true);
	}
}

static int talk(const struct daemon *daemon, const struct target *target,
		const struct options *options)
{
	struct console console = {0};

	if (target->running != DAEMON_RUNNING) {
		target_not_running(target, &console.err);
		return cmd_fail(&console.err);
	}
	if (session_open(&console.session, target, options->worker, &console.err) < 0)
		return cmd_fail(&console.err);
	if (options->codes[0])
		take_codes(&console, options->codes);
	else if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		at_terminal(&console, daemon, target->name);
	else
		read_lines(&console);
	chunk_drop(&console.chunk);
	session_close(&console.session);
	return console.code;
}

int cmd_console(struct daemon *daemon, const struct options *options)
{
	struct target target;
	int code = target_find(daemon, options, &target);

	if (code == EXIT_DONE)
		code = talk(daemon, &target, options);
	target_finish(&target);
	return code;
}
