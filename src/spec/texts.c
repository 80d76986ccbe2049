#include "spec/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int grow(struct texts *texts)
{
	struct module *modules =
	    realloc(texts->modules, (texts->count + 1) * sizeof *texts->modules);
	struct stamp *stamps;

	if (!modules)
		return -1;
	texts->modules = modules;
	stamps = realloc(texts->stamps, (texts->count + 1) * sizeof *texts->stamps);
	if (!stamps)
		return -1;
	texts->stamps = stamps;
	return 0;
}

static void module_finish(struct module *module)
{
	free(module->name);
	free(module->path);
	free(module->text);
}

static int keep(struct texts *texts, const char *name, const char *path, struct module module,
		struct err *err)
{
	module.name = strdup(name);
	module.path = strdup(path);
	if (!module.name || !module.path) {
		module_finish(&module);
		return err_sys(err, "cannot keep '%s'", path);
	}
	texts->size += module.length;
	texts->modules[texts->count] = module;
	return (int)texts->count++;
}

int texts_add(struct texts *texts, const char *name, const char *path, enum module_kind kind,
	      struct err *err)
{
	struct module module = {.kind = kind};

	if (texts->count >= TEXTS_MAX)
		return err_set(err, "more than %d files", TEXTS_MAX);
	if (grow(texts) < 0)
		return err_sys(err, "cannot read '%s'", path);
	if (trust_read(texts->source, path, kind == MODULE_LUA ? &module.text : NULL,
		       &module.length, &texts->stamps[texts->count], err) < 0) {
		texts_miss(texts, path);
		return -1;
	}
	if (texts->size + module.length > TEXTS_SIZE_MAX) {
		free(module.text);
		return err_set(err, "'%s' and the files before it are larger than 16 MiB", path);
	}
	return keep(texts, name, path, module, err);
}

void texts_miss(struct texts *texts, const char *path)
{
	char **missed = texts->missed;

	if (texts->missed_count == TEXTS_MISSED_MAX)
		return;
	if (!missed)
		texts->missed = missed = calloc(TEXTS_MISSED_MAX, sizeof *missed);
	if (missed && (missed[texts->missed_count] = strdup(path)))
		texts->missed_count++;
}

char **texts_seen(const struct texts *texts)
{
	size_t count = texts->count + texts->missed_count;
	char **seen = calloc(count + 1, sizeof *seen);

	for (size_t i = 0; seen && i < count; i++) {
		seen[i] = strdup(i < texts->count ? texts->modules[i].path
						  : texts->missed[i - texts->count]);
		if (!seen[i])
			break; /* what is there ends the list */
	}
	return seen;
}

bool texts_settled(const struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		if (!trust_unchanged(texts->modules[i].path, &texts->stamps[i]))
			return false;
	return true;
}

void texts_finish(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		module_finish(&texts->modules[i]);
	for (size_t i = 0; i < texts->missed_count; i++)
		free(texts->missed[i]);
	free(texts->missed);
	free(texts->modules);
	free(texts->stamps);
	*texts = (struct texts){0};
}

char *texts_beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	char *joined = NULL;

	if (name[0] == '/')
		return strdup(name);
	while (strncmp(name, "./", 2) == 0)
		name += 2;
	if (asprintf(&joined, "%.*s/%s", slash ? (int)(slash - path) : 1, slash ? path : ".",
		     name) < 0)
		return NULL;
	return joined;
}
