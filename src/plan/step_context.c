#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plan/step.h"
#include "sys/sys.h"

enum { WORKING_UMASK = 077 };

static void describe(const struct daemon *daemon, FILE *out)
{
	fputs("take nothing over from whoever started us:\n"
	      "keep a private copy of the environment and overwrite the original\n",
	      out);
	fputs("close all descriptors but 0 to 2", out);
	if (daemon->machine.inherited_count)
		fprintf(out, " and the sockets of the service manager (%zu)",
			daemon->machine.inherited_count);
	fputs("\nreset all signals to their defaults, then hold back HUP, INT, QUIT, TERM, USR1, "
	      "USR2\n"
	      "set the umask to 077 while root's files are made; refuse to run set-uid",
	      out);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES; /* our own executable */
}

static int take_environment(struct daemon *daemon, struct err *err)
{
	char **copy = strings_copy(sys_environment());

	if (!copy)
		return err_set(err, "out of memory");
	strings_free(daemon->source.environment);
	daemon->source.environment = copy;
	sys_environment_wipe();
	return 0;
}

static int close_others(const struct machine *machine, struct err *err)
{
	int keep[INHERITED_MAX + 1];
	size_t count = 0;
	bool told = machine->notify_fd < 0;

	for (size_t i = 0; i < machine->inherited_count; i++) {
		if (!told && machine->notify_fd < machine->inherited[i].fd) {
			keep[count++] = machine->notify_fd;
			told = true;
		}
		keep[count++] = machine->inherited[i].fd;
	}
	if (!told)
		keep[count++] = machine->notify_fd;
	if (sys_close_others(keep, count) < 0)
		return err_sys(err, "cannot close inherited descriptors");
	/* Also proves that each of them is open. */
	for (size_t i = 0; i < count; i++)
		if (keep[i] > 2 && sys_close_on_exec(keep[i]) < 0)
			return err_sys(err, "cannot take over descriptor %d", keep[i]);
	return 0;
}

/* A descriptor below 3 is about to become something else: keep a copy. */
static int take_notify(struct daemon *daemon, struct err *err)
{
	int fd = daemon->machine.notify_fd;

	daemon->notify_fd = fd >= 0 && fd <= 2 ? sys_dup(fd) : fd;
	if (fd >= 0 && daemon->notify_fd < 0)
		return err_sys(err, "cannot take over descriptor %d", fd);
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

/* What workers and loaders are executed from, and where an upgrade looks for a newer one. */
static int find_self(struct daemon *daemon, struct err *err)
{
	char path[PATH_MAX];

	daemon->self_fd = sys_open_self();
	if (daemon->self_fd < 0)
		return err_sys(err, "cannot open luvd's own executable");
	if (sys_self_path(path, sizeof path) < 0)
		return err_sys(err, "cannot tell where luvd's own executable is");
	daemon->program = strdup(path);
	return daemon->program ? 0 : err_set(err, "out of memory");
}

static int apply(struct daemon *daemon, struct err *err)
{
	if (sys_is_set_uid())
		return err_set(err,
			       "luvd must not be installed set-uid, set-gid or with capabilities");
	if (take_environment(daemon, err) < 0)
		return -1;
	if (machine_inherited(&daemon->machine, &daemon->source, err) < 0 ||
	    close_others(&daemon->machine, err) < 0 || reset_signals(err) < 0)
		return -1;
	if (take_notify(daemon, err) < 0)
		return -1;
	sys_umask(WORKING_UMASK);
	if (find_self(daemon, err) < 0)
		return -1;
	daemon->context_taken = true;
	return 0;
}

const struct step step_context = {
    .name = "context",
    .roles = LAUNCH,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
