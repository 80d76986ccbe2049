#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "plan/listen.h"
#include "plan/listener.h"
#include "plan/step.h"
#include "plan/unix.h"
#include "sys/sys.h"

enum { PRIVILEGED_BELOW = 1024 };

static bool wanted(const struct daemon *daemon)
{
	return daemon->spec->listen_count > 0 || daemon->machine.inherited_count > 0;
}

static void describe_one(const struct socket_choice *choice, int workers, FILE *out)
{
	const struct listen *listen = choice->listen;

	if (choice->inherited) {
		fprintf(out, "take %s from the service manager, for '%s'",
			choice->inherited->address, listen->name);
		return;
	}
	fprintf(out, "bind %s", choice->address->text);
	if (choice->address->kind != ADDRESS_UDP)
		fprintf(out, ", backlog %d", listen->backlog);
	if (choice->address->kind == ADDRESS_UNIX)
		fprintf(out, ", mode %04o", (unsigned)listen->mode);
	if (choice->address->kind == ADDRESS_UNIX && listen->owner)
		fprintf(out, ", owner %s", listen->owner);
	if (listen->reuseport)
		fprintf(out, ", a socket for each of %d workers", workers);
	fprintf(out, ", for '%s'", listen->name);
}

static void describe(const struct daemon *daemon, FILE *out)
{
	struct choices choices;

	listen_choose(daemon->spec, &daemon->machine, &choices, NULL);
	for (size_t i = 0; i < choices.count; i++) {
		if (i)
			fputc('\n', out);
		describe_one(&choices.list[i], daemon->spec->workers, out);
	}
	if (choices.count == 0)
		fputs("refuse the sockets of the service manager: no listen entry claims them",
		      out);
}

static int port(const struct address *address)
{
	if (address->socket.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&address->socket)->sin_port);
	if (address->socket.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address->socket)->sin6_port);
	return -1;
}

static uint64_t needs_of(const struct listen *listen)
{
	uint64_t needs = 0;

	for (size_t i = 0; i < listen->address_count; i++) {
		int number = port(&listen->addresses[i]);

		if (number > 0 && number < PRIVILEGED_BELOW)
			needs |= NEED_CAPABILITY(CAPABILITY_NET_BIND_SERVICE);
		if (listen->addresses[i].kind == ADDRESS_UNIX)
			needs |= NEED_FILES;
		if (listen->addresses[i].kind == ADDRESS_UNIX && listen->owner)
			needs |= NEED_CAPABILITY(CAPABILITY_CHOWN);
	}
	return needs;
}

static uint64_t needs(const struct spec *spec)
{
	uint64_t needs = 0;

	for (size_t i = 0; i < spec->listen_count; i++)
		needs |= needs_of(&spec->listens[i]);
	return needs;
}

/* The remedy for a port that is taken: the address may stand in `listen.web` or one below. */
static int in_use(const struct spec *spec, const struct listen *listen,
		  const struct address *address, struct err *err)
{
	const struct value *entry = value_get(value_get(&spec->root, "listen"), listen->name);
	const char *key = entry && entry->type == VALUE_TABLE ? ".address" : "";
	const char *colon = strrchr(address->text, ':');

	return err_set(err, "cannot bind %s: %s; choose another: --set listen.%s%s=%.*s:PORT",
		       address->text, err_reason(EADDRINUSE), listen->name, key,
		       (int)(colon - address->text), address->text);
}

/* The kernel gives twice what is asked for, and silently less than asked when its limit is lower:
 * socket(7). Datagrams are what is lost then. */
static int tell_buffer(struct daemon *daemon, const struct listener *listener, struct err *err)
{
	size_t wanted = listener->listen->receive_buffer;
	int given;

	if (wanted == 0)
		return 0;
	if (sys_socket_get(listener->fd, SOL_SOCKET, SO_RCVBUF, &given) < 0)
		return err_sys(err, "cannot read the options of %s", listener->address->text);
	if ((size_t)given / 2 < wanted)
		daemon_warn(daemon, "listen", 0,
			    "%s: the kernel gives a receive buffer of %d bytes instead of %zu: "
			    "raise net.core.rmem_max",
			    listener->address->text, given / 2, wanted);
	return 0;
}

static int bind_one(struct daemon *daemon, struct listener *listener, struct err *err)
{
	const struct address *address = listener->address;

	if (listener_bind_all(listener, daemon->spec->workers, daemon->machine.euid, err) == 0)
		return address->kind == ADDRESS_UDP ? tell_buffer(daemon, listener, err) : 0;
	if (err && err->code == EADDRINUSE && address->socket.ss_family != AF_UNIX)
		return in_use(daemon->spec, listener->listen, address, err);
	return -1;
}

static int take_datagrams(int type, const struct inherited *inherited, struct err *err)
{
	int family;

	if (sys_socket_get(inherited->fd, SOL_SOCKET, SO_DOMAIN, &family) < 0)
		return err_sys(err, "cannot take %s from the service manager", inherited->address);
	if (type != SOCK_DGRAM || (family != AF_INET && family != AF_INET6))
		return err_set(err,
			       "descriptor %d of the service manager (%s) is no datagram socket of "
			       "the internet",
			       inherited->fd, inherited->address);
	return 0;
}

static int take_one(struct listener *listener, const struct inherited *inherited, struct err *err)
{
	int type, listening;

	listener->fd = inherited->fd;
	listener->inherited = true;
	if (sys_socket_get(inherited->fd, SOL_SOCKET, SO_TYPE, &type) < 0 ||
	    sys_socket_get(inherited->fd, SOL_SOCKET, SO_ACCEPTCONN, &listening) < 0)
		return err_sys(err, "cannot take %s from the service manager", inherited->address);
	if (listener->address->kind == ADDRESS_UDP)
		return take_datagrams(type, inherited, err);
	if (type != SOCK_STREAM || !listening)
		return err_set(
		    err, "descriptor %d of the service manager (%s) is no listening stream socket",
		    inherited->fd, inherited->address);
	return 0;
}

static int open_one(struct daemon *daemon, const struct socket_choice *choice, struct err *err)
{
	struct listener *listener = &daemon->listeners[daemon->listener_count++];
	char key[96];

	*listener =
	    (struct listener){.listen = choice->listen, .address = choice->address, .fd = -1};
	snprintf(key, sizeof key, "listen.%s", choice->listen->name);
	spec_blame(daemon->spec, key, err);
	if (!choice->inherited)
		return bind_one(daemon, listener, err);
	return take_one(listener, choice->inherited, err) < 0 ? -1 : listener_tell(listener, err);
}

static int apply(struct daemon *daemon, struct err *err)
{
	struct choices choices;

	if (listen_choose(daemon->spec, &daemon->machine, &choices, err) < 0)
		return -1;
	if (choices.unclaimed)
		return err_set(spec_blame(daemon->spec, "listen", err),
			       "no entry claims descriptor %d of the service manager ('%s', %s)",
			       choices.unclaimed->fd, choices.unclaimed->name,
			       choices.unclaimed->address);
	daemon->listeners = calloc(choices.count + 1, sizeof *daemon->listeners);
	if (!daemon->listeners)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < choices.count; i++)
		if (open_one(daemon, &choices.list[i], err) < 0)
			return -1;
	return 0;
}

static void undo(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct listener *listener = &daemon->listeners[i];

		if (listener->inode)
			sys_discard(unix_path(listener->address), listener->device,
				    listener->inode);
	}
}

const struct step step_listen = {
    .name = "listen",
    .roles = LAUNCH,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
