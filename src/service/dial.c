#include "service/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "err.h"
#include "service/attempt.h"
#include "service/list.h"
#include "service/vm.h"
#include "spec/endpoint.h"

enum { FULL_RETRY = 20 /* milliseconds until a unix listener is asked again */ };

/* --- the end --- */

static void end_attempt(struct dial *dial)
{
	attempt_end(dial->attempt);
	dial->attempt = NULL;
}

static void end_lookup(struct dial *dial)
{
	if (dial->lookup)
		lookup_cancel(dial->lookup);
	dial->lookup = NULL;
}

void dial_finish(struct dial *dial)
{
	alarm_clear(&dial->vm->alarms, &dial->alarm);
	end_lookup(dial);
	end_attempt(dial);
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
	dial->over = true;
	dial->done(dial);
}

/* --- trying --- */

static uint64_t time_left(const struct dial *dial)
{
	uint64_t now = vm_now(dial->vm);

	return dial->until > now ? dial->until - now : 0;
}

static void set_alarm(struct dial *dial, uint64_t after)
{
	alarm_set(&dial->vm->alarms, &dial->alarm, vm_now(dial->vm) + after);
}

static socklen_t length_of(const struct dial *dial, const struct sockaddr_storage *address)
{
	if (dial->length)
		return dial->length;
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

static void on_attempt(void *data, int error);

/* false: it has failed, and the next may be tried. */
static bool try_one(struct dial *dial)
{
	const struct sockaddr_storage *address = &dial->addresses[dial->next];
	size_t left = dial->count - dial->next;
	int error;

	dial->attempt =
	    attempt_begin(dial->vm, address, length_of(dial, address), on_attempt, dial, &error);
	dial->next++;
	if (dial->attempt) {
		/* Each address has its share of the time; the last one all that is left. */
		set_alarm(dial, time_left(dial) / left);
		return true;
	}
	fail_with(dial, error);
	if (error != EAGAIN)
		return false;
	dial->next--;
	set_alarm(dial, time_left(dial) < FULL_RETRY ? time_left(dial) : FULL_RETRY);
	return true;
}

static void try_next(struct dial *dial)
{
	while (dial->next < dial->count && time_left(dial) > 0)
		if (try_one(dial))
			return;
	if (dial->next < dial->count)
		fail(dial, "no answer in time", "ETIMEDOUT");
	tell(dial);
}

static void on_attempt(void *data, int error)
{
	struct dial *dial = data;

	if (error) {
		end_attempt(dial);
		fail_with(dial, error);
		try_next(dial);
		return;
	}
	dial->peer = dial->addresses[dial->next - 1];
	dial->fd = attempt_take(dial->attempt);
	dial->attempt = NULL;
	tell(dial);
}

static void on_alarm(struct alarm *alarm)
{
	struct dial *dial = LIST_ENTRY(alarm, struct dial, alarm);

	if (dial->lookup) {
		end_lookup(dial);
		fail(dial, "no answer from a name server in time", "ETIMEDOUT");
	} else if (dial->attempt) {
		end_attempt(dial);
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
	const struct lookup *lookup = dial->lookup;

	dial->count = lookup->count;
	memcpy(dial->addresses, lookup->found, sizeof dial->addresses);
	set_ports(dial);
	if (lookup->count == 0)
		fail(dial, uv_strerror(lookup->code), uv_err_name(lookup->code));
	end_lookup(dial);
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

	if (dial_is_unix(dial->target)) {
		dial->length = dial_unix_address(dial->target, &dial->addresses[0]);
		dial->count = 1;
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
	vm_update(vm); /* Lua may have computed for long */
	dial->vm = vm;
	dial->done = done;
	dial->data = data;
	dial->fd = -1;
	dial->until = vm_now(vm) + (uint64_t)timeout;
	alarm_init(&vm->alarms, &dial->alarm, on_alarm);
	snprintf(dial->target, sizeof dial->target, "%s", target);
	if (begin(dial) < 0) {
		free(dial);
		return NULL;
	}
	if (dial->lookup) {
		set_alarm(dial, (uint64_t)timeout);
		return dial;
	}
	dial->starting = true;
	try_next(dial);
	dial->starting = false;
	return dial;
}
