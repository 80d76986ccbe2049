#include "cmd/script.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "plan/step.h"

/* The text log's line without its time: who runs a script sees when. */
static void on_log(void *data, enum log_level level, const char *message, size_t length,
		   const struct log_field *fields, size_t count)
{
	const struct format format = {.form = FORM_TEXT, .name = "lua", .pid = getpid()};
	const struct entry entry = {.level = level,
				    .message = message,
				    .length = length,
				    .fields = fields,
				    .count = count,
				    .limit = ENTRY_SHOWN_MAX};
	size_t size;
	char *text = format_bytes(&format, &entry, &size);

	(void)data;
	if (!text)
		return;
	fflush(stdout);
	fputs(text + strcspn(text, " ") + 1, stderr);
	free(text);
}

const char *cmd_script_self(void)
{
	static char path[PATH_MAX + 8];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	size_t end = length > 0 ? (size_t)length : 0;

	path[end] = '\0';
	if (end < 5 || memcmp(path + end - 5, "/luvd", 5) != 0)
		return end > 0 ? path : "luvd-lua";
	memcpy(path + end, "-lua", 5);
	if (access(path, X_OK) < 0)
		path[end] = '\0';
	return path;
}

struct script *cmd_script_create(struct daemon *daemon, const char *program, bool no_environment,
				 struct err *err)
{
	const struct script_options options = {.program = program,
					       .self = cmd_script_self(),
					       .no_environment = no_environment,
					       .log = on_log};

	if (warmup_read(daemon, err) < 0)
		return NULL;
	return script_create(daemon, &options, err);
}
