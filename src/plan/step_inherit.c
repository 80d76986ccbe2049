#include <signal.h>
#include <string.h>

#include "plan/listen.h"
#include "plan/listener.h"
#include "plan/step.h"
#include "sys/sys.h"

enum { DESCRIPTORS_MAX = 1024 };

static bool wanted(const struct daemon *daemon)
{
	return !daemon_is_classic(daemon);
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;
	size_t sockets = 0;

	for (size_t i = 0; i < spec->listen_count; i++)
		sockets += spec->listens[i].address_count;
	if (spec->workers == 1)
		fputs("in the worker", out);
	else
		fprintf(out, "in each of %d workers", spec->workers);
	fprintf(out,
		", executed anew: start a session of its own\n"
		"take over the descriptors 0 to 2, the monitor's channel, the pipe to the log, "
		"%zu socket%s and %zu file%s; close all others\n"
		"reset all signals to their defaults, then hold back HUP, INT, QUIT, TERM, USR1, "
		"USR2",
		sockets, sockets == 1 ? "" : "s", spec->file_count,
		spec->file_count == 1 ? "" : "s");
}

/* --- the monitor's word about what it gives is checked --- */

static int check_channel(const struct daemon *daemon, struct err *err)
{
	int type;

	if (sys_socket_get(daemon->channel_fd, SOL_SOCKET, SO_TYPE, &type) < 0)
		return err_sys(err, "cannot take over the channel");
	return type == SOCK_SEQPACKET ? 0 : err_set(err, "the channel is of another kind");
}

static int check_pipe(const struct daemon *daemon, struct err *err)
{
	struct stat stat;

	if (sys_stat(daemon->relay_fd, &stat) < 0)
		return err_sys(err, "cannot take over the pipe to the log");
	return S_ISFIFO(stat.st_mode) ? 0 : err_set(err, "the pipe to the log is none");
}

static int check_listener(struct listener *listener, struct err *err)
{
	int type, listening;

	if (sys_socket_get(listener->fd, SOL_SOCKET, SO_TYPE, &type) < 0 ||
	    sys_socket_get(listener->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening) < 0)
		return err_sys(err, "cannot take over %s", listener->address->text);
	if (type != listen_type(listener->address) || (type == SOCK_STREAM && !listening))
		return err_set(err, "descriptor %d is no listening socket for %s", listener->fd,
			       listener->address->text);
	return listener_tell(listener, err);
}

static int check_listeners(struct daemon *daemon, struct err *err)
{
	for (size_t i = 0; i < daemon->listener_count; i++) {
		struct listener *listener = &daemon->listeners[i];
		char key[96];

		snprintf(key, sizeof key, "listen.%s", listener->listen->name);
		if (check_listener(listener, spec_blame(daemon->spec, key, err)) < 0)
			return -1;
	}
	return 0;
}

static int check_files(const struct daemon *daemon, struct err *err)
{
	for (size_t i = 0; i < daemon->spec->file_count; i++) {
		char key[96];

		snprintf(key, sizeof key, "files.%s", daemon->spec->files[i].name);
		if (!sys_is_open(daemon->file_fds[i]))
			return err_set(spec_blame(daemon->spec, key, err),
				       "descriptor %d is not open", daemon->file_fds[i]);
	}
	return 0;
}

/* --- what nobody has given goes --- */

static int close_others(const struct daemon *daemon, struct err *err)
{
	int known[DESCRIPTORS_MAX];
	size_t count = daemon_descriptors(daemon, known, DESCRIPTORS_MAX);

	if (sys_close_others(known, count) < 0)
		return err_sys(err, "cannot close inherited descriptors");
	for (size_t i = 0; i < count; i++)
		if (known[i] > 2 && sys_close_on_exec(known[i]) < 0)
			return err_sys(err, "cannot take over descriptor %d", known[i]);
	return 0;
}

static int reset_signals(struct err *err)
{
	if (sys_signals_reset() < 0)
		return err_sys(err, "cannot reset the signals");
	if (sys_signals_block() < 0)
		return err_sys(err, "cannot hold back the signals");
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	if (sys_setsid() < 0)
		return err_sys(err, "cannot start a session");
	if (check_channel(daemon, err) < 0 || check_pipe(daemon, err) < 0 ||
	    check_listeners(daemon, err) < 0 || check_files(daemon, err) < 0)
		return -1;
	err->key[0] = err->where[0] = '\0';
	return close_others(daemon, err) < 0 ? -1 : reset_signals(err);
}

const struct step step_inherit = {
    .name = "inherit",
    .roles = WORKER,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
};
