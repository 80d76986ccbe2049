#include "host/ready.h"

#include <stdlib.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/keeper.h"
#include "host/launch.h"
#include "host/notify.h"
#include "sys/sys.h"

static char *describe(const struct daemon *daemon)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	launch_describe(daemon, out);
	return fclose(out) == 0 ? text : NULL;
}

static int tell_launcher(struct daemon *daemon, const char *text, struct err *err)
{
	struct message message = {.type = MESSAGE_READY};

	snprintf(message.text, sizeof message.text, "%s", text);
	if (channel_send(daemon->channel_fd, &message) == 0)
		return 0;
	return err_set(err, "the launcher is gone");
}

/* Who runs it in the foreground with its log elsewhere sees one line, and then nothing more unless
 * files are watched. */
static void leave_terminal(struct daemon *daemon, const char *line)
{
	if (daemon->terminal_fd < 0)
		return;
	if (daemon->sink.kind != SINK_STDERR)
		dprintf(daemon->terminal_fd, "%s: %s\n", daemon->spec->name, line);
	if (daemon->watch)
		return; /* verdicts of reloads are for it too */
	sys_close(daemon->terminal_fd);
	daemon->terminal_fd = -1;
}

int ready_tell(struct daemon *daemon, struct log *log, struct err *err)
{
	char *text = describe(daemon);
	const char *known = text ? text : "";
	char line[1200];
	int result = 0;

	snprintf(line, sizeof line, "ready, pid %ld%s%s%s", (long)getpid(), *known ? ", " : "",
		 known, daemon->background ? "" : "; Ctrl-C stops");
	log_printf(log, LEVEL_INFO, "%s", line);
	if (daemon->background) {
		result = tell_launcher(daemon, known, err);
	} else {
		notify_ready(daemon, 0);
		leave_terminal(daemon, line);
		keeper_leave(daemon);
	}
	free(text);
	return result;
}
