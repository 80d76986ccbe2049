#include "host/monitor/resume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/launch.h"
#include "host/monitor/action.h"
#include "host/monitor/guard.h"
#include "host/monitor/restore.h"
#include "host/monitor/upgrade.h"
#include "plan/title.h"
#include "sys/sys.h"

/* --- the state --- */

static unsigned char *read_whole(int fd, size_t length, struct err *err)
{
	unsigned char *bytes = malloc(length);
	size_t have = 0;

	while (bytes && have < length) {
		ssize_t n = pread(fd, bytes + have, length - have, (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_sys(err, "cannot read the daemon's state");
			free(bytes);
			return NULL;
		}
		have += (size_t)n;
	}
	if (!bytes)
		err_set(err, "out of memory");
	return bytes;
}

static int read_state(int fd, struct handover *handover, struct err *err)
{
	struct stat stat;
	unsigned char *bytes;
	int result;

	if (fstat(fd, &stat) < 0)
		return err_sys(err, "cannot read the daemon's state");
	if (!S_ISREG(stat.st_mode) || stat.st_size <= 0 || stat.st_size > HANDOVER_SIZE_MAX)
		return err_set(err, "this is no state of a daemon");
	bytes = read_whole(fd, (size_t)stat.st_size, err);
	if (!bytes)
		return -1;
	result = handover_decode(handover, bytes, (size_t)stat.st_size, err);
	free(bytes);
	return result;
}

/* --- the trial --- */

static int check_all(struct handover *handover, const int *bundle_fds, struct err *err)
{
	struct monitor monitor = {.daemon = &handover->daemon};
	int result;

	/* Where it finds them; elsewhere they have the numbers of the state. */
	for (size_t i = 0; i < handover->generation_count; i++)
		handover->generations[i].bundle_fd = bundle_fds[i];
	result = restore_read(&monitor, handover, err);
	restore_forget(&monitor);
	return result;
}

int resume_check(int state_fd, const int *bundle_fds, size_t count, struct err *err)
{
	struct handover handover = {0};
	int result;

	if (read_state(state_fd, &handover, err) < 0)
		return -1;
	result = handover.generation_count == count
		     ? check_all(&handover, bundle_fds, err)
		     : err_set(err, "there are %zu generations, but %zu bundles",
			       handover.generation_count, count);
	handover_finish(&handover);
	return result;
}

/* --- the takeover --- */

/* What lasts of the daemon becomes this image's. */
static void take_daemon(struct daemon *daemon, struct handover *handover)
{
	char **arguments = daemon->arguments;

	*daemon = handover->daemon;
	daemon_init(&handover->daemon);
	daemon->arguments = arguments;
	daemon->role = MONITOR;
	daemon->worker = 0;
	daemon->monitor = 0;
	daemon->generation = handover->current;
	daemon->context_taken = true;
	sys_environment_set(daemon->environment);
}

/* From here on nobody can go back: what the next image needs is kept by who executes it. */
static int take_charge(struct monitor *monitor, struct handover *handover, bool fresh,
		       struct err *err)
{
	struct daemon *daemon = monitor->daemon;
	int self_fd = fresh ? sys_open_self() : -1;

	if (fresh && self_fd < 0)
		return err_sys(err, "cannot open luvd's own executable");
	monitor->signals = signals_create(&monitor->loop, daemon, action_on_signal, monitor, err);
	if (!monitor->signals) {
		sys_close(self_fd);
		return -1;
	}
	if (fresh)
		guard_end();
	restore_close_on_exec(monitor, handover);
	if (fresh)
		daemon->self_fd = self_fd;
	restore_clients(monitor, handover);
	restore_sources(monitor, handover);
	title_take(daemon);
	return 0;
}

static int take_over(struct monitor *monitor, struct handover *handover, bool fresh,
		     struct err *err)
{
	int code;

	take_daemon(monitor->daemon, handover);
	if (restore_descriptors(handover, monitor->daemon, err) < 0 ||
	    restore_read(monitor, handover, err) < 0 ||
	    restore_privileges(monitor->daemon, err) < 0)
		return -1;
	code = uv_loop_init(&monitor->loop);
	if (code < 0)
		return err_set(err, "cannot make the event loop: %s", uv_strerror(code));
	if (restore_open(monitor, handover, err) < 0)
		return -1;
	return take_charge(monitor, handover, fresh, err);
}

int resume_run(struct daemon *daemon, int state_fd, int self_fd, const char *why)
{
	struct plan plan = {.count = 0};
	struct monitor monitor = {.daemon = daemon, .plan = &plan};
	struct handover handover = {0};
	struct err err = {0}, back = {0};
	int64_t begun;

	/* A copy: the arguments of the process become its title. */
	if (why)
		err_set(&back, "%s", why);
	else
		guard_begin(state_fd, self_fd);
	if (read_state(state_fd, &handover, &err) < 0 ||
	    take_over(&monitor, &handover, !why, &err) < 0) {
		if (!why)
			guard_give_back(&err);
		return launch_failed(daemon, &plan, &err);
	}
	sys_close(state_fd);
	begun = handover.begun;
	handover_finish(&handover);
	if (why)
		upgrade_back(&monitor, begun, &back);
	else
		upgrade_renew(&monitor, begun, self_fd);
	return monitor_loop(&monitor);
}
