#include "host/monitor/generation.h"

#include <stdlib.h>

#include "plan/step.h"
#include "sys/sys.h"

struct generation *generation_add(struct generation **list, int id, struct spec *spec,
				  int bundle_fd)
{
	struct generation *fresh = malloc(sizeof *fresh);

	if (!fresh)
		return NULL;
	*fresh = (struct generation){.id = id, .spec = spec, .bundle_fd = bundle_fd};
	while (*list)
		list = &(*list)->next;
	return *list = fresh;
}

struct generation *generation_find(struct generation *list, int id)
{
	while (list && list->id != id)
		list = list->next;
	return list;
}

void generation_remove(struct generation **list, int id, const struct spec *kept)
{
	struct generation *gone;

	while (*list && (*list)->id != id)
		list = &(*list)->next;
	gone = *list;
	if (!gone)
		return;
	*list = gone->next;
	if (gone->spec != kept)
		spec_destroy(gone->spec);
	sys_close(gone->bundle_fd);
	free(gone);
}

struct daemon generation_daemon(const struct generation *generation, const struct daemon *daemon)
{
	struct daemon seen = *daemon;

	seen.spec = generation->spec;
	seen.generation = generation->id;
	seen.role = WORKER;
	seen.warn = NULL;
	seen.log = NULL;
	return seen;
}
