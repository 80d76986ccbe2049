#include "plan/open_file.h"
#include "plan/sink.h"
#include "plan/step.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct machine *machine = &daemon->machine;

	switch (sink_kind(daemon)) {
	case SINK_STDERR:
		fprintf(out, "log to stderr%s", machine->stderr_is_journal ? ", the journal" : "");
		break;
	case SINK_STDOUT:
		fprintf(out, "log to stdout%s", machine->stdout_is_journal ? ", the journal" : "");
		break;
	case SINK_SYSLOG:
		fputs("log to syslog: connect to '/dev/log'", out);
		break;
	case SINK_JOURNAL:
		fputs("log to the journal: connect to '/run/systemd/journal/socket'", out);
		break;
	default:
		fprintf(out, "log to '%s': open it to append to it; when it is new, mode 0640",
			daemon->spec->log.path ? daemon->spec->log.path : "");
	}
}

static uint64_t needs(const struct spec *spec)
{
	return spec->log.to == SINK_STDERR || spec->log.to == SINK_STDOUT ? 0 : NEED_FILES;
}

static int apply(struct daemon *daemon, struct err *err)
{
	return sink_open(daemon, &daemon->sink, err);
}

static void undo(struct daemon *daemon)
{
	if (daemon->spec->log.path)
		open_file_undo(daemon->spec->log.path, &daemon->log_made, daemon->sink.fd);
}

const struct step step_log = {
    .name = "log",
    .roles = LAUNCH,
    .needs = needs,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
