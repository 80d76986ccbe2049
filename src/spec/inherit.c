#include "spec/inherit.h"

#include <string.h>

#include "spec/arena.h"

static int copy_text(struct spec *fresh, char **to, const char *from)
{
	size_t size = from ? strlen(from) + 1 : 0;

	*to = NULL;
	if (!from)
		return 0;
	*to = arena_try(fresh->arena, size);
	if (!*to)
		return -1;
	memcpy(*to, from, size);
	return 0;
}

static int copy_list(struct spec *fresh, char ***to, char *const *from)
{
	size_t count = 0;

	*to = NULL;
	if (!from)
		return 0;
	while (from[count])
		count++;
	*to = arena_try(fresh->arena, (count + 1) * sizeof **to);
	if (!*to)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (copy_text(fresh, &(*to)[i], from[i]) < 0)
			return -1;
	return 0;
}

static int copy_ids(struct spec *fresh, const struct spec *running)
{
	size_t size = running->gid_count * sizeof *fresh->gids;

	fresh->drops = running->drops;
	fresh->uid = running->uid;
	fresh->gid = running->gid;
	fresh->gid_count = running->gid_count;
	fresh->gids = arena_try(fresh->arena, size + sizeof *fresh->gids);
	if (!fresh->gids)
		return -1;
	if (size)
		memcpy(fresh->gids, running->gids, size);
	return 0;
}

static void copy_owners(struct spec *fresh, const struct spec *running)
{
	for (size_t i = 0; i < fresh->listen_count; i++) {
		const struct listen *listen = spec_listen(running, fresh->listens[i].name);

		if (!listen)
			continue;
		fresh->listens[i].uid = listen->uid;
		fresh->listens[i].gid = listen->gid;
	}
}

static int copy_folders(struct spec *fresh, const struct spec *running)
{
	for (int i = 0; i < DIRECTORIES; i++)
		if (copy_text(fresh, &fresh->folders[i].path, running->folders[i].path) < 0)
			return -1;
	return 0;
}

int spec_inherit(struct spec *fresh, const struct spec *running)
{
	const struct {
		char **to;
		const char *from;
	} texts[] = {
	    {&fresh->home, running->home},           {&fresh->shell, running->shell},
	    {&fresh->user_name, running->user_name}, {&fresh->pidfile, running->pidfile},
	    {&fresh->control, running->control},     {&fresh->home_folder, running->home_folder},
	    {&fresh->log.path, running->log.path},
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (copy_text(fresh, texts[i].to, texts[i].from) < 0)
			return -1;
	if (copy_ids(fresh, running) < 0 || copy_folders(fresh, running) < 0)
		return -1;
	copy_owners(fresh, running);
	return copy_list(fresh, &fresh->environment, running->environment);
}
