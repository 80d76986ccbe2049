#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "host/monitor/resume.h"
#include "sys/sys.h"

/* What a monitor executes: as a child to try this binary out, or in its own place. */

enum { CHECK_STATE = 3, CHECK_BUNDLES, CHECK_BUNDLES_MAX = 60 };

static int refuse(void)
{
	struct err err = {.exit = EXIT_USAGE};

	err_set(&err, "monitor: only a daemon that is upgraded uses this command; "
		      "you may mean 'upgrade' or 'start'");
	return cmd_fail(&err);
}

/* It only reads: all that is a privilege or a way out goes first. */
static int check(void)
{
	int fds[CHECK_BUNDLES_MAX];
	struct err err = {0};
	size_t count = 0;

	while (count < CHECK_BUNDLES_MAX && sys_is_open(CHECK_BUNDLES + (int)count)) {
		fds[count] = CHECK_BUNDLES + (int)count;
		count++;
	}
	/* A file that gives privileges would give them to a daemon that has none. */
	if (sys_is_set_uid())
		err_set(&err, "luvd must not be installed set-uid, set-gid or with capabilities");
	else if (sys_capabilities_set(0) < 0 || sys_no_new_privs() < 0)
		err_sys(&err, "cannot give privileges up");
	else
		resume_check(CHECK_STATE, fds, count, &err);
	if (*err.what)
		return cmd_fail(&err);
	puts("ready " LUVD_VERSION);
	return EXIT_DONE;
}

/* A decimal number of a descriptor above 2 that is open; -1. */
static int descriptor(const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = *text >= '1' && *text <= '9' ? strtol(text, &end, 10) : 0;
	if (value < 3 || errno || *end || value > INT_MAX || !sys_is_open((int)value))
		return -1;
	return (int)value;
}

/* take STATE SELF PADDING, or resume STATE SELF WHY PADDING. */
static int take(struct daemon *daemon, char **words, size_t count)
{
	bool again = strcmp(words[0], "resume") == 0;
	int state_fd, self_fd;

	if (count != (again ? 5 : 4))
		return refuse();
	state_fd = descriptor(words[1]);
	self_fd = descriptor(words[2]);
	if (state_fd < 0 || self_fd < 0)
		return refuse();
	return resume_run(daemon, state_fd, self_fd, again ? words[3] : NULL);
}

int cmd_monitor(struct daemon *daemon, const struct options *options)
{
	char **words = daemon->arguments + 2; /* after "luvd monitor" */
	size_t count = 0;

	(void)options;
	while (words[count])
		count++;
	if (count == 1 && strcmp(words[0], "check") == 0 && sys_is_open(CHECK_STATE))
		return check();
	if (count > 0 && (strcmp(words[0], "take") == 0 || strcmp(words[0], "resume") == 0))
		return take(daemon, words, count);
	return refuse();
}
