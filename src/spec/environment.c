#include "spec/environment.h"

#include <string.h>

#include "spec/arena.h"

static const char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static size_t length_of(char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

static void put(char **environment, char *entry)
{
	size_t name = strcspn(entry, "=") + 1;

	for (; *environment; environment++)
		if (strncmp(*environment, entry, name) == 0)
			break;
	*environment = entry;
}

/* What a service manager says to the host is not for the service: two that answer are none. */
static bool is_hosts(const char *name)
{
	static const char *const names[] = {"NOTIFY_SOCKET",  "LISTEN_PID",    "LISTEN_FDS",
					    "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

void environment_make(struct spec *spec)
{
	void *arena = spec->arena;
	size_t count = 6 + length_of(spec->environment_keep) + length_of(spec->environment_set);
	const char *home = spec->home ? spec->home : "/";
	const char *user = spec->user_name ? spec->user_name : "";
	char **environment = arena_alloc(arena, (count + 1) * sizeof *environment);

	put(environment, arena_text(arena, path));
	put(environment, arena_format(arena, "HOME=%s", home));
	put(environment, arena_format(arena, "USER=%s", user));
	put(environment, arena_format(arena, "LOGNAME=%s", user));
	put(environment, arena_format(arena, "SHELL=%s", spec->shell ? spec->shell : "/bin/sh"));
	put(environment, arena_text(arena, "LANG=C.UTF-8"));
	for (char **name = spec->environment_keep; name && *name; name++) {
		const char *value = source_getenv(&spec->source, *name);

		if (value && !is_hosts(*name))
			put(environment, arena_format(arena, "%s=%s", *name, value));
	}
	for (char **entry = spec->environment_set; entry && *entry; entry++)
		put(environment, *entry);
	spec->environment = environment;
}
