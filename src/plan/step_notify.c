#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "plan/step.h"
#include "sys/sys.h"

static bool wanted(const struct daemon *daemon)
{
	return daemon->machine.notify_socket[0] || daemon->machine.notify_fd >= 0;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct machine *machine = &daemon->machine;

	if (machine->notify_socket[0])
		fprintf(out, "connect to the service manager at '%s'", machine->notify_socket);
	if (machine->notify_socket[0] && machine->notify_fd >= 0)
		fputc('\n', out);
	if (machine->notify_fd >= 0)
		fprintf(out, "keep descriptor %d, which is told when the daemon is ready",
			machine->notify_fd);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

/* "@name" is abstract: its first byte is 0, and it has exactly the length that is given. */
static int connect_to(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);

	if (length > sizeof address.sun_path - 1) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	else
		length++;
	return sys_notify_socket((struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

static int apply(struct daemon *daemon, struct err *err)
{
	const char *name = daemon->machine.notify_socket;

	(void)err;
	if (!name[0])
		return 0;
	daemon->notify_socket = connect_to(name);
	/* A manager that cannot be reached is nobody's error: the daemon can serve without. */
	if (daemon->notify_socket < 0)
		daemon_warn(daemon, "notify", errno, "cannot reach the service manager at '%s'",
			    name);
	return 0;
}

const struct step step_notify = {
    .name = "notify",
    .roles = MONITOR,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
};
