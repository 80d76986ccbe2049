#include "cmd/script.h"
#include "service/interpreter.h"

static int run(struct daemon *daemon, const struct interpreter_words *words)
{
	bool bare = words->modes & INTERPRETER_BARE;
	struct script *script;
	struct err err = {0};
	int code;

	script = cmd_script_create(daemon, words->program, bare, &err);
	if (!script)
		return cmd_fail(&err);
	code = interpreter_run(script, words);
	fflush(stdout);
	script_destroy(script);
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
