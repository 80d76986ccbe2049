#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"

/* The options of all commands, in the order in which help tells them. */

static int number(const char *text, int *result)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || n < 0 || n > 1000000)
		return -1;
	*result = (int)n;
	return 0;
}

static int take_set(struct options *options, const char *value)
{
	size_t n = 0;

	if (!strchr(value, '=') || value[0] == '=')
		return -1;
	while (options->sets[n])
		n++;
	options->sets[n] = (char *)value; /* argv's, which may be written to */
	return 0;
}

static int take_json(struct options *options, const char *value)
{
	(void)value;
	options->json = true;
	return 0;
}

static int take_audit(struct options *options, const char *value)
{
	(void)value;
	options->audit = true;
	return 0;
}

static int take_metrics(struct options *options, const char *value)
{
	(void)value;
	options->metrics = true;
	return 0;
}

static int take_worker(struct options *options, const char *value)
{
	return number(value, &options->worker) < 0 || options->worker < 1 ||
		       options->worker > WORKERS_MAX
		   ? -1
		   : 0;
}

static int take_code(struct options *options, const char *value)
{
	size_t n = 0;

	while (options->codes[n])
		n++;
	options->codes[n] = value;
	return 0;
}

static int take_as(struct options *options, const char *value)
{
	options->as_root = true;
	return strcmp(value, "root") == 0 ? 0 : -1;
}

/* Its words are the unit's business. */
static int take_form(struct options *options, const char *value)
{
	options->form = value;
	return 0;
}

/* A word of the command new. */
static int take_template(struct options *options, const char *value)
{
	options->kind = value;
	return 0;
}

static int take_scratch(struct options *options, const char *value)
{
	options->scratch = value;
	return *value ? 0 : -1;
}

static int take_if_stopped(struct options *options, const char *value)
{
	(void)value;
	options->if_stopped = true;
	return 0;
}

static int take_follow(struct options *options, const char *value)
{
	(void)value;
	options->follow = true;
	return 0;
}

static int take_lines(struct options *options, const char *value)
{
	return number(value, &options->lines);
}

static int take_notify_fd(struct options *options, const char *value)
{
	return number(value, &options->notify_fd) < 0 || options->notify_fd < 3 ? -1 : 0;
}

static int take_watch(struct options *options, const char *value)
{
	(void)value;
	options->watch = true;
	return 0;
}

const struct option_row option_rows[] = {
    {"--set", "KEY=VALUE", "change a key of the daemon file; \"KEY=\" removes it", take_set,
     OPTION_SET, 0},
    {"--json", NULL, "print JSON", take_json, OPTION_JSON, 0},
    {"--as", "root", "as if root had asked", take_as, OPTION_AS, 0},
    {"--for", "FORM", "systemd (the default), rc.d, s6, runit or logrotate", take_form, OPTION_FORM,
     0},
    {"--template", "KIND", "http (the default), tcp, udp or timer", take_template, OPTION_TEMPLATE,
     0},
    {"--if-stopped", NULL, "exit 0 when it is running already", take_if_stopped, OPTION_IF_STOPPED,
     0},
    {"--follow", NULL, "go on with new lines", take_follow, OPTION_FOLLOW, 'f'},
    {"--lines", "N", "begin with the last N lines", take_lines, OPTION_LINES, 'n'},
    {"--audit", NULL, "prove once more how it is confined", take_audit, OPTION_AUDIT, 0},
    {"--metrics", NULL, "print metrics in Prometheus' text format", take_metrics, OPTION_METRICS,
     0},
    {"--worker", "N", "of this worker, not the first that is ready", take_worker, OPTION_WORKER, 0},
    {"--execute", "CODE", "evaluate this Lua and leave; may be given again", take_code, OPTION_CODE,
     'e'},
    {"--watch", NULL, "reload when its files change; implies workers = 1 at least", take_watch,
     OPTION_WATCH, 0},
    {"--notify-fd", "N", "write a newline to this descriptor when ready", take_notify_fd,
     OPTION_NOTIFY_FD, 0},
    {"--scratch", "FOLDER",
     "for tests: touch nothing outside this folder, and end with the parent process", take_scratch,
     OPTION_SCRATCH, 0},
    {NULL, NULL, NULL, NULL, 0, 0},
};
