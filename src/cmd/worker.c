#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/cmd.h"
#include "host/bundle.h"
#include "host/worker.h"
#include "plan/listen.h"
#include "sys/sys.h"

/* What a monitor has started: argv[2] on, and descriptors 3 on. */
enum { GENERATION, NUMBER, MONITOR_PID, ROSTER, PADDING, ARGUMENTS };
enum { CHANNEL = 3, BUNDLE, RELAY, FIRST_OTHER };

static int refuse(struct err *err, const char *what)
{
	return err_set(err, "the monitor has given %s", what);
}

/* A decimal number from 1 to max. */
static int number(const char *text, long max, int *result, struct err *err)
{
	char *end;
	long value;

	errno = 0;
	value = *text >= '1' && *text <= '9' ? strtol(text, &end, 10) : 0;
	if (value < 1 || errno || *end || value > max)
		return refuse(err, "a number that is none");
	*result = (int)value;
	return 0;
}

/* Takes "12" from the beginning of *text, when it is below limit. */
static int take_index(const char **text, size_t limit, size_t *index)
{
	size_t value = 0;

	if (**text < '0' || **text > '9')
		return -1;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		value = value * 10 + (size_t)(**text - '0');
		if (value >= limit)
			return -1;
	}
	*index = value;
	return 0;
}

/* Takes "1.0": an entry and one of its addresses. */
static int take_listener(struct daemon *daemon, const char **text)
{
	const struct spec *spec = daemon->spec;
	struct listener *listener = &daemon->listeners[daemon->listener_count];
	size_t entry, address;

	if (take_index(text, spec->listen_count, &entry) < 0 || *(*text)++ != '.' ||
	    take_index(text, spec->listens[entry].address_count, &address) < 0)
		return -1;
	*listener = (struct listener){.listen = &spec->listens[entry],
				      .address = &spec->listens[entry].addresses[address],
				      .fd = FIRST_OTHER + (int)daemon->listener_count};
	daemon->listener_count++;
	return 0;
}

static bool has_socket(const struct daemon *daemon, const struct listen *listen)
{
	for (size_t i = 0; i < daemon->listener_count; i++)
		if (daemon->listeners[i].listen == listen)
			return true;
	return false;
}

/* "0.0,0.1,1.0", or "-": every entry has a socket. A service manager may give one for two
 * addresses, or several for one. */
static int take_roster(struct daemon *daemon, const char *text, struct err *err)
{
	const struct spec *spec = daemon->spec;
	bool more = spec->listen_count > 0;

	if (!more)
		return strcmp(text, "-") == 0 ? 0 : refuse(err, "a socket that nobody declared");
	daemon->listeners = calloc(SOCKETS_MAX, sizeof *daemon->listeners);
	if (!daemon->listeners)
		return err_set(err, "out of memory");
	for (; more; text++) {
		if (daemon->listener_count == SOCKETS_MAX || take_listener(daemon, &text) < 0)
			return refuse(err, "a list of sockets that does not fit the bundle");
		more = *text == ',';
		if (!more && *text)
			return refuse(err, "a list of sockets that does not fit the bundle");
	}
	for (size_t i = 0; i < spec->listen_count; i++)
		if (!has_socket(daemon, &spec->listens[i]))
			return refuse(err, "a list of sockets that does not fit the bundle");
	return 0;
}

static int take_files(struct daemon *daemon, struct err *err)
{
	int fd = FIRST_OTHER + (int)daemon->listener_count;
	size_t count = daemon->spec->file_count;

	daemon->file_fds = calloc(count + 1, sizeof *daemon->file_fds);
	if (!daemon->file_fds)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < count; i++)
		daemon->file_fds[i] = fd + (int)i;
	return 0;
}

static int take_bundle(struct daemon *daemon, struct err *err)
{
	daemon->spec = bundle_read(BUNDLE, err);
	sys_close(BUNDLE);
	if (!daemon->spec)
		return -1;
	return daemon_is_classic(daemon) ? refuse(err, "the bundle of a daemon without workers")
					 : 0;
}

static int take_all(struct daemon *daemon, char **words, struct err *err)
{
	daemon->role = WORKER;
	daemon->background = true; /* whatever the monitor is */
	daemon->relay_fd = RELAY;
	if (number(words[GENERATION], INT_MAX, &daemon->generation, err) < 0 ||
	    number(words[NUMBER], WORKERS_MAX, &daemon->worker, err) < 0 ||
	    number(words[MONITOR_PID], INT_MAX, &daemon->monitor, err) < 0 ||
	    take_bundle(daemon, err) < 0)
		return -1;
	if (daemon->worker > daemon->spec->workers)
		return refuse(err, "a number above that of workers");
	if (take_roster(daemon, words[ROSTER], err) < 0 || take_files(daemon, err) < 0)
		return -1;
	return machine_probe(daemon, err);
}

/* Nobody but a monitor has this as a descriptor of its shell. */
static bool has_channel(void)
{
	int type;

	return sys_is_open(CHANNEL) && sys_socket_get(CHANNEL, SOL_SOCKET, SO_TYPE, &type) == 0 &&
	       type == SOCK_SEQPACKET;
}

int cmd_worker(struct daemon *daemon, const struct options *options)
{
	char **words = daemon->arguments + 2; /* after "luvd worker" */
	struct err err = {.exit = EXIT_USAGE};
	size_t count = 0;

	(void)options;
	while (words[count])
		count++;
	if (count != ARGUMENTS || !has_channel()) {
		err_set(&err, "worker: only a daemon's monitor uses this command; "
			      "you may mean 'run' or 'start'");
		return cmd_fail(&err);
	}
	daemon->channel_fd = CHANNEL;
	err = (struct err){.step = "inherit"};
	if (take_all(daemon, words, &err) < 0)
		return worker_failed(daemon, &err);
	return worker_run(daemon);
}
