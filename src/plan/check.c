#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "plan/aim.h"
#include "plan/limit.h"
#include "plan/listen.h"
#include "plan/plan.h"
#include "plan/sink.h"
#include "sys/sys.h"

/* What is plain from the machine alone, all of it at once, before anything is done. */

static struct err *add(struct errs *errs)
{
	struct err *err = errs_add(errs);

	err->exit = EXIT_FAILED;
	return err;
}

/* --- capabilities --- */

/* The key of the daemon file that makes a row need its privileges. */
static const struct {
	const char *step, *key;
} keys[] = {
    {"paths", "directories"},
    {"chroot", "chroot"},
    {"identity", "user"},
    {"limits", "priority"},
    {"process", "priority.oom_score"},
};

static const char *key_of(const struct step *step, int capability)
{
	if (step == &step_identity && capability != CAPABILITY_SETUID &&
	    capability != CAPABILITY_SETGID)
		return "capabilities";
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i].step, step->name) == 0)
			return keys[i].key;
	return NULL;
}

static void refuse(const struct step *step, int capability, const struct daemon *daemon,
		   struct errs *errs)
{
	const char *key = key_of(step, capability);
	struct err *err = add(errs);

	snprintf(err->step, sizeof err->step, "%s", step->name);
	if (key)
		spec_blame(daemon->spec, key, err);
	if (daemon->role == WORKER && daemon->machine.root) /* a reload */
		err_set(err, "needs restart: the monitor has not kept the capability %s",
			sys_capability_name(capability));
	else
		err_set(err, "needs the capability %s, which uid %u does not have",
			sys_capability_name(capability), (unsigned)daemon->machine.euid);
}

static void check_capabilities(const struct step *step, const struct daemon *daemon,
			       struct errs *errs)
{
	uint64_t missing = step->needs ? step->needs(daemon->spec) : 0;

	missing &= ~(NEED_FILES | daemon->machine.capabilities);
	if (step == &step_listen)
		missing = 0; /* looked at socket by socket */
	for (int i = 0; i < CAPABILITIES; i++)
		if (aim_has(missing, i))
			refuse(step, i, daemon, errs);
}

/* --- listen --- */

static int port(const struct address *address)
{
	if (address->socket.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&address->socket)->sin_port);
	if (address->socket.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&address->socket)->sin6_port);
	return 0;
}

static void check_port(const struct socket_choice *choice, const struct daemon *daemon,
		       struct errs *errs)
{
	const struct machine *machine = &daemon->machine;
	int number = port(choice->address);
	struct err *err;
	char key[96];

	if (choice->inherited || number == 0 || number >= machine->port_floor ||
	    aim_has(machine->capabilities, CAPABILITY_NET_BIND_SERVICE))
		return;
	snprintf(key, sizeof key, "listen.%s", choice->listen->name);
	err = spec_blame(daemon->spec, key, add(errs));
	errno = EACCES;
	err_sys(err, "cannot bind %s: ports below %d are root's", choice->address->text,
		machine->port_floor);
}

static void check_listen(const struct daemon *daemon, struct errs *errs)
{
	struct choices choices;
	struct err err = {0};

	if (listen_choose(daemon->spec, &daemon->machine, &choices, &err) < 0) {
		*add(errs) = err;
		return;
	}
	if (choices.unclaimed)
		err_set(spec_blame(daemon->spec, "listen", add(errs)),
			"no entry claims descriptor %d of the service manager ('%s', %s)",
			choices.unclaimed->fd, choices.unclaimed->name, choices.unclaimed->address);
	for (size_t i = 0; i < choices.count; i++)
		check_port(&choices.list[i], daemon, errs);
}

/* --- log, limits --- */

static void check_log(const struct daemon *daemon, struct errs *errs)
{
	const struct machine *machine = &daemon->machine;
	enum sink_kind kind = sink_kind(daemon);
	const char *name = kind == SINK_STDOUT ? "stdout" : "stderr";
	bool kept = kind == SINK_STDOUT ? machine->stdout_is_journal || machine->stdout_is_file
					: machine->stderr_is_journal || machine->stderr_is_file;

	if (!daemon->background || kept || (kind != SINK_STDOUT && kind != SINK_STDERR))
		return;
	err_set(
	    spec_blame(daemon->spec, sink_key(daemon->spec), add(errs)),
	    "a daemon in the background cannot keep %s, which is neither the journal nor a file: "
	    "whoever reads it would wait for ever",
	    name);
}

static void check_limits(const struct daemon *daemon, struct errs *errs)
{
	const struct spec *spec = daemon->spec;
	const struct machine *machine = &daemon->machine;

	if (aim_has(machine->capabilities, CAPABILITY_SYS_RESOURCE))
		return;
	for (size_t i = 0; i < spec->limit_count; i++) {
		const struct limit *limit = &spec->limits[i];
		rlim_t hard = machine->hard[limit->resource];

		if (limit->value > hard)
			limit_refuse(spec, limit, hard, EPERM, add(errs));
	}
}

static void check_rows(const struct plan *plan, const struct daemon *daemon, struct errs *errs)
{
	for (size_t i = 0; i < plan->count; i++)
		check_capabilities(plan->rows[i], daemon, errs);
}

int plan_check_rows(const struct plan *plan, const struct daemon *daemon, struct errs *errs)
{
	size_t before = errs->count + errs->dropped;

	check_rows(plan, daemon, errs);
	check_limits(daemon, errs);
	return errs->count + errs->dropped > before ? -1 : 0;
}

int plan_check(const struct plan *plan, const struct daemon *daemon, struct errs *errs)
{
	size_t before = errs->count + errs->dropped;

	check_rows(plan, daemon, errs);
	check_listen(daemon, errs);
	check_log(daemon, errs);
	check_limits(daemon, errs);
	return errs->count + errs->dropped > before ? -1 : 0;
}
