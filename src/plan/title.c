#include "plan/title.h"

#include <errno.h>
#include <stdio.h>

#include "plan/step.h"
#include "sys/sys.h"

/* What ps(1) shows. */
static void title_of(const struct daemon *daemon, char *title, size_t size)
{
	const char *name = daemon->spec->name;

	if (daemon_is_classic(daemon))
		snprintf(title, size, "luvd: %s", name);
	else if (daemon->role == WORKER)
		snprintf(title, size, "luvd: %s worker %d", name, daemon->worker);
	else
		snprintf(title, size, "luvd: %s monitor", name);
}

void title_take(struct daemon *daemon)
{
	char title[256];

	title_of(daemon, title, sizeof title);
	if (daemon->arguments)
		sys_title(daemon->arguments, title);
	if (sys_name(daemon->spec->name) < 0)
		daemon_warn(daemon, "process", errno, "cannot take the name '%s'",
			    daemon->spec->name);
}
