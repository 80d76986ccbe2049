#include "spec/source.h"

#include <stdlib.h>
#include <string.h>

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

void source_finish(struct source *source)
{
	free(source->path);
	free(source->shown);
	free_list(source->sets);
	free_list(source->environment);
	free(source->hostname);
	free(source->scratch);
	*source = (struct source){0};
}

const char *source_getenv(const struct source *source, const char *name)
{
	size_t length = strlen(name);

	for (char **entry = source->environment; entry && *entry; entry++)
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -1 : 0;
}

static int copy_list(char ***to, char *const *from)
{
	size_t count = 0;

	*to = NULL;
	if (!from)
		return 0;
	while (from[count])
		count++;
	*to = calloc(count + 1, sizeof **to);
	if (!*to)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (copy_text(&(*to)[i], from[i]) < 0)
			return -1;
	return 0;
}

int source_copy(struct source *to, const struct source *from)
{
	*to = (struct source){.cpus = from->cpus, .uid = from->uid, .owner = from->owner};
	if (copy_text(&to->path, from->path) < 0 || copy_text(&to->shown, from->shown) < 0 ||
	    copy_list(&to->sets, from->sets) < 0 ||
	    copy_list(&to->environment, from->environment) < 0 ||
	    copy_text(&to->hostname, from->hostname) < 0 ||
	    copy_text(&to->scratch, from->scratch) < 0) {
		source_finish(to);
		return -1;
	}
	return 0;
}
