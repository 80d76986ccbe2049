#include "spec/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/arena.h"

void spec_destroy(struct spec *spec)
{
	if (!spec)
		return;
	value_finish(&spec->root);
	source_finish(&spec->source);
	for (size_t i = 0; i < spec->module_count; i++) {
		free(spec->modules[i].name);
		free(spec->modules[i].path);
		free(spec->modules[i].text);
	}
	free(spec->modules);
	arena_destroy(spec->arena);
	free(spec);
}

const char *spec_shown(const struct source *source, const char *path, char *shown, size_t size)
{
	const char *slash = strrchr(source->path, '/');
	size_t folder = slash ? (size_t)(slash - source->path) + 1 : 0;
	const char *typed = strrchr(source->shown, '/');
	int prefix = typed ? (int)(typed - source->shown) + 1 : 0;

	if (strcmp(path, source->path) == 0)
		snprintf(shown, size, "%s", source->shown);
	else if (folder && strncmp(path, source->path, folder) == 0)
		snprintf(shown, size, "%.*s%s", prefix, source->shown, path + folder);
	else
		snprintf(shown, size, "%s", path);
	return shown;
}

const char *spec_where(const struct source *source, const struct module *modules, size_t count,
		       const struct value *value, char *where, size_t size)
{
	size_t length;

	if (value->file == VALUE_FROM_SET) {
		const char *set = source->sets[value->line - 1];

		snprintf(where, size, "--set %.*s", (int)strcspn(set, "="), set);
		return where;
	}
	if (value->file > 0 && (size_t)value->file < count)
		spec_shown(source, modules[value->file].path, where, size);
	else
		snprintf(where, size, "%s", source->shown);
	length = strlen(where);
	if (value->line > 0)
		snprintf(where + length, size - length, ":%d", value->line);
	return where;
}

/* The deepest value on the way to path whose line is known; NULL: none. */
static const struct value *last_known(const struct value *root, const char *path)
{
	const struct value *known = NULL;
	char part[256];

	for (size_t end = strcspn(path, ".");; end += 1 + strcspn(path + end + 1, ".")) {
		const struct value *value;

		snprintf(part, sizeof part, "%.*s", (int)end, path);
		value = value_path(root, part);
		if (value && value->line)
			known = value;
		if (!value || !path[end] || end >= sizeof part)
			return known;
	}
}

struct err *spec_blame(const struct spec *spec, const char *key, struct err *err)
{
	static const struct value nowhere;
	const struct value *value = last_known(&spec->root, key);

	if (!err)
		return NULL;
	snprintf(err->key, sizeof err->key, "%s", key);
	spec_where(&spec->source, spec->modules, spec->module_count, value ? value : &nowhere,
		   err->where, sizeof err->where);
	return err;
}

const struct listen *spec_listen(const struct spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		if (strcmp(spec->listens[i].name, name) == 0)
			return &spec->listens[i];
	return NULL;
}
