#include "service/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "err.h"
#include "service/list.h"
#include "service/lookup.h"
#include "service/vm.h"
#include "spec/endpoint.h"

enum { UNIX = 5, /* "unix:" */ FULL_RETRY = 20 /* milliseconds */ };

/* One socket that connects; it outlives its dial until the loop has closed its poll. */
struct attempt {
	struct vm *vm;
	struct dial *dial; /* NULL: given up */
	uv_poll_t poll;
	int fd;
};

static void try_next(struct dial *dial);

/* --- what is dialled --- */

static bool is_name(const char *host)
{
	return host[strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "-._")] == '\0';
}

const char *dial_check(const char *target, size_t length)
{
	struct sockaddr_storage address;
	struct endpoint endpoint;
	socklen_t size;

	if (length < DIAL_TARGET_MAX && strlen(target) == length &&
	    strncmp(target, "unix:", UNIX) == 0)
		return length - UNIX - (target[UNIX] == '@') == 0
			   ? "a path or @name after \"unix:\""
		       : length - UNIX >= sizeof((struct sockaddr_un *)0)->sun_path
			   ? "a socket's path of at most 107 bytes"
			   : NULL;
	switch (endpoint_parse(target, length, &endpoint)) {
	case ENDPOINT_PORT:
		return "a port from 1 to 65535";
	case ENDPOINT_FORM:
		return "an address such as \"tcp://example.org:80\", \"tcp://[::1]:80\" or "
		       "\"unix:/path\"";
	default:
		break;
	}
	if (endpoint.port == 0)
		return "a port from 1 to 65535";
	if (endpoint.type != SOCK_STREAM)
		return "a tcp or unix address";
	if (endpoint.brackets && !endpoint_address(&endpoint, &address, &size))
		return "an IPv6 address in brackets";
	return is_name(endpoint.host) || endpoint.brackets
		   ? NULL
		   : "a host's name or address, then the port";
}

static void set_unix(struct dial *dial, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&dial->addresses[0];
	bool abstract = path[0] == '@';
	size_t length = strlen(path);

	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, length);
	if (abstract)
		un->sun_path[0] = '\0';
	dial->length =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (abstract ? 0 : 1));
	dial->count = 1;
}

/* --- the end --- */

static void on_poll_closed(uv_handle_t *handle)
{
	struct attempt *attempt = handle->data;

	attempt->vm->handles--;
	free(attempt);
}

/* Takes the descriptor out of it, or closes it. */
static int end_attempt(struct dial *dial, bool keep)
{
	struct attempt *attempt = dial->attempt;
	int fd;

	if (!attempt)
		return -1;
	fd = attempt->fd;
	dial->attempt = NULL;
	attempt->dial = NULL;
	/* Stopped before the descriptor is closed or given away: the loop forgets it at once. */
	uv_poll_stop(&attempt->poll);
	vm_close_handle(attempt->vm, (uv_handle_t *)&attempt->poll, on_poll_closed);
	if (keep)
		return fd;
	close(fd);
	return -1;
}

void dial_finish(struct dial *dial)
{
	alarm_clear(&dial->vm->alarms, &dial->alarm);
	if (dial->lookup)
		lookup_cancel(dial->lookup);
	end_attempt(dial, false);
	if (dial->fd >= 0)
		close(dial->fd);
	free(dial);
}

static void fail(struct dial *dial, const char *reason, const char *code)
{
	snprintf(dial->message, sizeof dial->message, "%s: %s", dial->target, reason);
	dial->code = code;
}

static void fail_with(struct dial *dial, int error)
{
	fail(dial, err_reason(error), uv_err_name(uv_translate_sys_error(error)));
}

/* Nobody is told before dial_start has returned: then the alarm comes back here. */
static void tell(struct dial *dial)
{
	if (dial->starting) {
		alarm_set(&dial->vm->alarms, &dial->alarm, 1);
		return;
	}
	alarm_clear(&dial->vm->alarms, &dial->alarm);
	dial->done(dial);
}

/* --- trying --- */

static void succeed(struct dial *dial)
{
	dial->peer = dial->addresses[dial->next - 1];
	dial->fd = end_attempt(dial, true);
	tell(dial);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct attempt *attempt = poll->data;
	struct dial *dial = attempt->dial;
	socklen_t length = sizeof status;
	int error = 0;

	(void)events;
	if (!dial)
		return;
	if (status < 0)
		error = -status;
	else if (getsockopt(attempt->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		error = errno;
	if (error == 0) {
		succeed(dial);
		return;
	}
	end_attempt(dial, false);
	fail_with(dial, error);
	try_next(dial);
}

static socklen_t length_of(const struct dial *dial, const struct sockaddr_storage *address)
{
	if (dial->length)
		return dial->length;
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

/* 0: it is on its way, or there; else an errno. */
static int begin_attempt(struct dial *dial, const struct sockaddr_storage *address)
{
	struct attempt *attempt = calloc(1, sizeof *attempt);
	int fd, error = ENOMEM;

	fd = attempt ? socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
		     : -1;
	if (fd < 0) {
		error = attempt ? errno : ENOMEM;
		free(attempt);
		return error;
	}
	*attempt = (struct attempt){.vm = dial->vm, .dial = dial, .fd = fd};
	if ((connect(fd, (const struct sockaddr *)address, length_of(dial, address)) < 0 &&
	     errno != EINPROGRESS && errno != EINTR) ||
	    uv_poll_init(dial->vm->loop, &attempt->poll, fd) < 0) {
		error = errno;
		close(fd);
		free(attempt);
		return error;
	}
	attempt->poll.data = attempt;
	dial->vm->handles++;
	dial->attempt = attempt;
	uv_poll_start(&attempt->poll, UV_WRITABLE, on_poll);
	return 0;
}

/* Each address has its share of the time; the last one all that is left. */
static void set_alarm(struct dial *dial)
{
	uint64_t now = uv_now(dial->vm->loop);
	uint64_t left = dial->until > now ? dial->until - now : 0;

	alarm_set(&dial->vm->alarms, &dial->alarm, now + left / (dial->count - dial->next + 1));
}

static void try_next(struct dial *dial)
{
	while (dial->next < dial->count && uv_now(dial->vm->loop) < dial->until) {
		int error = begin_attempt(dial, &dial->addresses[dial->next]);

		dial->next += error != EAGAIN;
		if (error == 0) {
			set_alarm(dial);
			return;
		}
		fail_with(dial, error);
		if (error == EAGAIN) { /* the queue of a unix listener is full: connect(2) */
			alarm_set(&dial->vm->alarms, &dial->alarm,
				  uv_now(dial->vm->loop) + FULL_RETRY);
			return;
		}
	}
	tell(dial);
}

static void on_alarm(struct alarm *alarm)
{
	struct dial *dial = LIST_ENTRY(alarm, struct dial, alarm);

	if (dial->lookup) {
		lookup_cancel(dial->lookup);
		dial->lookup = NULL;
		fail(dial, "no answer from a name server in time", "ETIMEDOUT");
	} else if (dial->attempt) {
		end_attempt(dial, false);
		fail(dial, "no answer in time", "ETIMEDOUT");
	}
	try_next(dial);
}

/* --- the beginning --- */

static void set_ports(struct dial *dial)
{
	struct endpoint endpoint;

	endpoint_parse(dial->target, strlen(dial->target), &endpoint);
	for (size_t i = 0; i < dial->count; i++) {
		struct sockaddr_storage *address = &dial->addresses[i];

		/* The port stands at the same place in both: RFC 3493, section 3.3. */
		((struct sockaddr_in *)address)->sin_port = htons(endpoint.port);
	}
}

static void take_lookup(struct dial *dial)
{
	struct lookup *lookup = dial->lookup;

	dial->count = lookup->count;
	memcpy(dial->addresses, lookup->found, sizeof dial->addresses);
	set_ports(dial);
	if (lookup->count == 0)
		fail(dial, uv_strerror(lookup->code), uv_err_name(lookup->code));
	dial->lookup = NULL;
	lookup_cancel(lookup);
}

static void on_lookup(struct lookup *lookup)
{
	struct dial *dial = lookup->data;

	take_lookup(dial);
	try_next(dial);
}

static int begin(struct dial *dial)
{
	struct endpoint endpoint;
	socklen_t length;

	if (strncmp(dial->target, "unix:", UNIX) == 0) {
		set_unix(dial, dial->target + UNIX);
		return 0;
	}
	endpoint_parse(dial->target, strlen(dial->target), &endpoint);
	if (endpoint_address(&endpoint, &dial->addresses[0], &length)) {
		dial->count = 1;
		return 0;
	}
	dial->lookup = lookup_start(dial->vm, endpoint.host, on_lookup, dial);
	if (!dial->lookup)
		return -1;
	if (dial->lookup->over)
		take_lookup(dial);
	return 0;
}

struct dial *dial_start(struct vm *vm, const char *target, int64_t timeout,
			void (*done)(struct dial *dial), void *data)
{
	struct dial *dial = calloc(1, sizeof *dial);

	if (!dial)
		return NULL;
	uv_update_time(vm->loop);
	dial->vm = vm;
	dial->done = done;
	dial->data = data;
	dial->fd = -1;
	dial->until = uv_now(vm->loop) + (uint64_t)timeout;
	dial->alarm.ring = on_alarm;
	snprintf(dial->target, sizeof dial->target, "%s", target);
	if (begin(dial) < 0) {
		free(dial);
		return NULL;
	}
	if (dial->lookup) {
		alarm_set(&vm->alarms, &dial->alarm, dial->until);
		return dial;
	}
	dial->starting = true;
	try_next(dial);
	dial->starting = false;
	return dial;
}
