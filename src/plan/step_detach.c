#include "plan/step.h"
#include "sys/sys.h"

static bool wanted(const struct daemon *daemon)
{
	return daemon->background;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	(void)daemon;
	fputs("fork, start a session of our own, fork again\n"
	      "the command stays behind until the daemon is ready, and exits with its verdict",
	      out);
}

/* The launcher: its child ends at once, or has said over the channel why it could not go on. */
static int stay_behind(struct daemon *daemon, int ends[2], pid_t middle)
{
	sys_close(ends[1]);
	daemon->channel_fd = ends[0];
	sys_wait(middle, &daemon->middle_status, 0);
	return STEP_LEAVE;
}

static int go_on(struct daemon *daemon, int ends[2], struct err *err)
{
	pid_t child;

	sys_close(ends[0]);
	daemon->channel_fd = ends[1];
	daemon->pid = sys_pid(); /* an error from here on goes over the channel */
	if (sys_setsid() < 0)
		return err_sys(err, "cannot start a session");
	/* A session leader would get the next terminal that it opens as its own. */
	child = sys_fork();
	if (child < 0)
		return err_sys(err, "cannot fork the daemon");
	if (child > 0)
		sys_exit(EXIT_DONE);
	daemon->pid = sys_pid();
	return STEP_DONE;
}

static int apply(struct daemon *daemon, struct err *err)
{
	int ends[2];
	pid_t child;

	/* Before the first fork, or the daemon's parent would be init and nobody could wait for it.
	 */
	if (sys_subreaper() < 0)
		return err_sys(err, "cannot become the one that waits for the daemon");
	if (sys_channel(ends) < 0)
		return err_sys(err, "cannot make the status channel");
	child = sys_fork();
	if (child > 0)
		return stay_behind(daemon, ends, child);
	if (child == 0)
		return go_on(daemon, ends, err);
	err_sys(err, "cannot fork");
	sys_close(ends[0]);
	sys_close(ends[1]);
	return -1;
}

const struct step step_detach = {
    .name = "detach",
    .roles = LAUNCH,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
};
