#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/console_edit.h"
#include "cmd/script.h"
#include "service/interpreter.h"

/* --- at a terminal --- */

struct terminal {
	struct daemon *daemon;
	struct script *script;
	struct edit *edit; /* NULL: nothing was typed yet */
};

static char *complete(void *data, const char *text, size_t length)
{
	const struct terminal *terminal = data;

	return interpreter_complete(terminal->script, text, length);
}

static void wait(void *data, bool (*over)(void))
{
	const struct terminal *terminal = data;

	interpreter_wait(terminal->script, over);
}

static const char *line(void *data, const char *prompt, size_t *length, bool *cancelled)
{
	struct terminal *terminal = data;
	const struct edit_calls calls = {terminal, complete, wait};
	const char *text;

	if (!terminal->edit)
		terminal->edit = edit_open(&terminal->daemon->source, &calls);
	*cancelled = false;
	if (!terminal->edit)
		return NULL;
	text = edit_line(terminal->edit, prompt, length, cancelled);
	if (*cancelled)
		fputc('\n', stdout);
	return text;
}

static void remember(void *data, const char *text)
{
	const struct terminal *terminal = data;

	edit_remember(terminal->edit, text);
	edit_save(terminal->edit); /* it may call os.exit */
}

/* --- the command --- */

static int run(struct daemon *daemon, const struct interpreter_words *words)
{
	bool bare = words->modes & INTERPRETER_BARE;
	bool types = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	struct terminal terminal = {.daemon = daemon};
	const struct typing typing = {&terminal, line, remember};
	struct err err = {0};
	int code;

	daemon->source.environment = strings_copy(environ);
	terminal.script = cmd_script_create(daemon, words->program, bare, &err);
	if (!terminal.script)
		return cmd_fail(&err);
	code = interpreter_run(terminal.script, words, types ? &typing : NULL);
	edit_close(terminal.edit);
	fflush(stdout);
	script_destroy(terminal.script);
	return code;
}

int cmd_lua(struct daemon *daemon, const struct options *options)
{
	struct interpreter_words words = {
	    .program = "luvd lua", .self = cmd_script_self(), .words = options->words};
	const char *wrong;

	if (options->words == daemon->arguments + 1) /* called as luvd-lua */
		words.program = words.self = daemon->arguments[0];
	wrong = interpreter_read(&words);
	if (!wrong)
		return run(daemon, &words);
	interpreter_usage(&words, wrong);
	return EXIT_FAILED;
}
