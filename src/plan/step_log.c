#include "plan/folder.h"
#include "plan/open_file.h"
#include "plan/sink.h"
#include "plan/step.h"
#include "sys/sys.h"

/* A log that nobody has placed goes below the user's home, where a new account has no such folder
 * yet. A folder that somebody has named is theirs to make. */
static bool makes_folders(const struct daemon *daemon)
{
	return sink_kind(daemon) == SINK_FILE && daemon->spec->log.to == SINK_DEFAULT &&
	       !daemon->machine.root;
}

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
		fprintf(out, "log to '%s': open it to append to it; when it is new, mode 0640%s",
			daemon->spec->log.path ? daemon->spec->log.path : "",
			makes_folders(daemon) ? "; make its folder when there is none" : "");
	}
}

static uint64_t needs(const struct spec *spec)
{
	return spec->log.to == SINK_STDERR || spec->log.to == SINK_STDOUT ? 0 : NEED_FILES;
}

static int make_folders(struct daemon *daemon, struct err *err)
{
	const char *name;
	int folder = folder_of_making(daemon, daemon->spec->log.path, &name,
				      spec_blame(daemon->spec, "log", err));

	if (folder < 0)
		return -1;
	sys_close(folder);
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	if (makes_folders(daemon) && make_folders(daemon, err) < 0)
		return -1;
	return sink_open(daemon, &daemon->sink, err);
}

static void undo(struct daemon *daemon)
{
	if (daemon->spec->log.path)
		open_file_undo(daemon->spec->log.path, &daemon->log_made, daemon->sink.fd);
	folders_discard(daemon);
}

const struct step step_log = {
    .name = "log",
    .roles = LAUNCH,
    .needs = needs,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
