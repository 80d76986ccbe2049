#include <fcntl.h>

#include "plan/sink.h"
#include "plan/step.h"
#include "sys/sys.h"

/* `luvd run` with its log on the terminal: what the service prints belongs there too. */
static bool keeps_output(const struct daemon *daemon)
{
	enum sink_kind kind = sink_kind(daemon);

	return !daemon->background && (kind == SINK_STDERR || kind == SINK_STDOUT);
}

static void describe(const struct daemon *daemon, FILE *out)
{
	fputs("connect descriptor 0 to /dev/null", out);
	fputs(keeps_output(daemon) ? "; 1 and 2 stay as they are"
				   : ", 1 and 2 to the log: nothing of the terminal is kept",
	      out);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

static int pipe_to_log(struct daemon *daemon, struct err *err)
{
	int ends[2], result = 0;

	if (sys_pipe(ends) < 0)
		return err_sys(err, "cannot make a pipe to the log");
	daemon->output_fd = ends[0];
	if (sys_dup_to(ends[1], 1) < 0 || sys_dup_to(ends[1], 2) < 0)
		result = err_sys(err, "cannot connect stdout and stderr to the log");
	sys_close(ends[1]);
	return result;
}

static int apply(struct daemon *daemon, struct err *err)
{
	daemon->null_fd = sys_open("/dev/null", O_RDWR, 0);
	if (daemon->null_fd < 0)
		return err_sys(err, "cannot open '/dev/null'");
	if (sys_dup_to(daemon->null_fd, 0) < 0)
		return err_sys(err, "cannot connect stdin to '/dev/null'");
	return keeps_output(daemon) ? 0 : pipe_to_log(daemon, err);
}

const struct step step_output = {
    .name = "output",
    .roles = MONITOR,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
