#include "plan/sink.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "plan/open_file.h"
#include "sys/sys.h"

enum { LOG_MODE = 0640 };

enum sink_kind sink_kind(const struct daemon *daemon)
{
	if (daemon->spec->log.to != SINK_DEFAULT)
		return daemon->spec->log.to;
	return daemon->background ? SINK_FILE : SINK_STDERR;
}

const char *sink_key(const struct spec *spec)
{
	const struct value *log = value_get(&spec->root, "log");

	return log && log->type == VALUE_TABLE ? "log.to" : "log";
}

/* The owner of a new log: root, so that a service cannot rewrite what it has said; but in a folder
 * of the service's own that would be no hindrance, only keep USR1 from opening it again. */
static int open_path(const struct daemon *daemon, struct made *made, struct err *err)
{
	const struct spec *spec = daemon->spec;
	struct open_file wish = {.path = spec->log.path,
				 .mode = 'a',
				 .perm = LOG_MODE,
				 .uid = spec->drops ? spec->uid : (uid_t)-1,
				 .gid = spec->drops ? spec->gid : (gid_t)-1,
				 .folders_owner = true};

	return open_file(&wish, daemon->machine.euid, made, err);
}

static int connect_to(const char *path, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM);

	if (fd < 0)
		return err_sys(err, "cannot make a socket for '%s'", path);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (sys_connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	err_sys(err, "cannot connect to '%s'", path);
	sys_close(fd);
	return -1;
}

static int copy_of(int fd, struct err *err)
{
	int copy = sys_dup(fd);

	return copy < 0 ? err_sys(err, "cannot keep descriptor %d", fd) : copy;
}

/* standard: what stands for stderr and stdout. */
static int open_kind(const struct daemon *daemon, enum sink_kind kind, int standard,
		     struct made *made, struct err *err)
{
	switch (kind) {
	case SINK_SYSLOG:
		return connect_to("/dev/log", err);
	case SINK_JOURNAL:
		return connect_to("/run/systemd/journal/socket", err);
	case SINK_FILE:
		return open_path(daemon, made, err);
	default:
		return copy_of(standard, err);
	}
}

int sink_open(struct daemon *daemon, struct sink *sink, struct err *err)
{
	const struct machine *machine = &daemon->machine;
	enum sink_kind kind = sink_kind(daemon);
	int standard = kind == SINK_STDOUT ? 1 : 2;

	spec_blame(daemon->spec, sink_key(daemon->spec), err);
	sink->kind = kind;
	sink->journal = (kind == SINK_STDERR && machine->stderr_is_journal) ||
			(kind == SINK_STDOUT && machine->stdout_is_journal);
	sink->fd = open_kind(daemon, kind, standard, &daemon->log_made, err);
	return sink->fd < 0 ? -1 : 0;
}

int sink_reopen(const struct daemon *daemon, struct sink *sink, struct err *err)
{
	struct made made;

	spec_blame(daemon->spec, sink_key(daemon->spec), err);
	*sink = daemon->sink;
	/* 1 and 2 are the pipe to the log by now: the old descriptor is what they were. */
	sink->fd = open_kind(daemon, sink->kind, daemon->sink.fd, &made, err);
	return sink->fd < 0 ? -1 : 0;
}
