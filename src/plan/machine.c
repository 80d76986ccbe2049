#include "plan/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/address.h"
#include "plan/daemon.h"
#include "plan/plan.h"
#include "sys/sys.h"

enum { FIRST_INHERITED = 3 }; /* SD_LISTEN_FDS_START */

/* A whole decimal number from 0 to max; -1: it is none. */
static int64_t number(const char *text, int64_t max)
{
	char *end;
	long long value;

	if (!text || text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end || value > max ? -1 : value;
}

/* Takes what is before the next ":" of *names. */
static void next_name(const char **names, char *name, size_t size)
{
	size_t length = *names ? strcspn(*names, ":") : 0;

	snprintf(name, size, "%.*s", (int)length, length ? *names : "");
	if (*names)
		*names = (*names)[length] ? *names + length + 1 : NULL;
}

int machine_inherited(struct machine *machine, const struct source *source, struct err *err)
{
	const char *names = source_getenv(source, "LISTEN_FDNAMES");
	int64_t count = number(source_getenv(source, "LISTEN_FDS"), INT32_MAX);
	int64_t pid = number(source_getenv(source, "LISTEN_PID"), INT32_MAX);

	machine->inherited_count = 0;
	if (pid != sys_pid() || count <= 0)
		return 0;
	if (count > INHERITED_MAX)
		return err_set(err,
			       "LISTEN_FDS: %" PRId64 " descriptors are passed, at most %d can be",
			       count, INHERITED_MAX);
	for (int i = 0; i < count; i++) {
		struct inherited *inherited = &machine->inherited[machine->inherited_count++];

		inherited->fd = FIRST_INHERITED + i;
		inherited->address[0] = '\0';
		next_name(&names, inherited->name, sizeof inherited->name);
	}
	return 0;
}

static int probe_addresses(struct machine *machine, struct err *err)
{
	for (size_t i = 0; i < machine->inherited_count; i++) {
		struct inherited *inherited = &machine->inherited[i];
		struct sockaddr_storage address;
		socklen_t length;
		int type;

		if (sys_socket_name(inherited->fd, &address, &length) < 0 ||
		    sys_socket_get(inherited->fd, SOL_SOCKET, SO_TYPE, &type) < 0)
			return err_sys(err, "cannot tell the address of inherited descriptor %d",
				       inherited->fd);
		address_text(&address, length, type, inherited->address, sizeof inherited->address);
	}
	return 0;
}

static void probe_manager(struct machine *machine, const struct source *source)
{
	const char *notify = source_getenv(source, "NOTIFY_SOCKET");
	const char *for_whom = source_getenv(source, "WATCHDOG_PID");
	int64_t usec = number(source_getenv(source, "WATCHDOG_USEC"), INT64_MAX);

	machine->notify_socket[0] = '\0';
	if (notify && (notify[0] == '/' || notify[0] == '@') &&
	    strlen(notify) < sizeof machine->notify_socket)
		snprintf(machine->notify_socket, sizeof machine->notify_socket, "%s", notify);
	machine->watchdog_usec = 0;
	if (usec > 0 && (!for_whom || number(for_whom, INT32_MAX) == sys_pid()))
		machine->watchdog_usec = usec;
}

/* What descriptor fd is: the journal when $JOURNAL_STREAM has its "device:inode". */
static int probe_stream(int fd, const char *stream, bool *journal, bool *file, struct err *err)
{
	struct stat stat;
	char text[64];

	if (sys_stat(fd, &stat) < 0)
		return err_sys(err, "cannot look at descriptor %d", fd);
	snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)stat.st_dev, (uintmax_t)stat.st_ino);
	*journal = stream && strcmp(stream, text) == 0;
	*file = S_ISREG(stat.st_mode);
	return 0;
}

static int probe_streams(struct machine *machine, const struct source *source, struct err *err)
{
	const char *stream = source_getenv(source, "JOURNAL_STREAM");

	if (probe_stream(1, stream, &machine->stdout_is_journal, &machine->stdout_is_file, err) < 0)
		return -1;
	return probe_stream(2, stream, &machine->stderr_is_journal, &machine->stderr_is_file, err);
}

static int probe_port_floor(struct machine *machine, struct err *err)
{
	char text[16];
	int fd = sys_try_open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY);
	ssize_t length;

	machine->port_floor = 1024;
	if (fd < 0)
		return 0; /* a system without the setting */
	length = sys_read_from_start(fd, text, sizeof text - 1);
	if (length < 0)
		err_sys(err, "cannot read the lowest unprivileged port");
	sys_close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	machine->port_floor = (int)strtol(text, NULL, 10);
	return 0;
}

static int probe_limits(struct machine *machine, struct err *err)
{
	for (int i = 0; i < LIMITS_MAX; i++)
		machine->hard[i] = RLIM_INFINITY;
	for (int i = 0; i < RLIM_NLIMITS && i < LIMITS_MAX; i++) {
		struct rlimit now;

		if (sys_limit_get(i, &now) < 0)
			return err_sys(err, "cannot read limit number %d", i);
		machine->hard[i] = now.rlim_max;
	}
	return 0;
}

static int probe_identity(struct machine *machine, struct err *err)
{
	struct sys_capabilities capabilities;
	struct sys_ids ids;
	int no_new_privs;

	if (sys_ids(&ids) < 0)
		return err_sys(err, "cannot read who we are");
	if (sys_capabilities(&capabilities) < 0)
		return err_sys(err, "cannot read our capabilities");
	no_new_privs = sys_has_no_new_privs();
	if (no_new_privs < 0)
		return err_sys(err, "cannot read no_new_privs");
	machine->uid = ids.uid[0];
	machine->euid = ids.uid[1];
	machine->gid = ids.gid[1];
	machine->root = machine->euid == 0;
	machine->capabilities = capabilities.effective;
	machine->bounding = capabilities.bounding;
	machine->no_new_privs = no_new_privs == 1;
	return 0;
}

int machine_probe(struct daemon *daemon, struct err *err)
{
	struct machine *machine = &daemon->machine;

	if (probe_identity(machine, err) < 0 || probe_limits(machine, err) < 0 ||
	    machine_inherited(machine, &daemon->source, err) < 0 ||
	    probe_addresses(machine, err) < 0 || probe_port_floor(machine, err) < 0 ||
	    probe_streams(machine, &daemon->source, err) < 0)
		return -1;
	probe_manager(machine, &daemon->source);
	machine->cpus = sys_cpus();
	return 0;
}

void machine_as_root(struct machine *machine)
{
	machine->uid = machine->euid = 0;
	machine->gid = 0;
	machine->root = true;
	machine->capabilities = machine->bounding = UINT64_MAX >> (64 - CAPABILITIES);
	for (size_t i = 0; i < LIMITS_MAX; i++)
		machine->hard[i] = RLIM_INFINITY;
}
