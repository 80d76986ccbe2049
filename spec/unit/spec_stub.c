#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/spec.h"

/* What the steps want of the room spec, without Lua: so their tests link nothing of it. */

void spec_destroy(struct spec *spec)
{
	(void)spec; /* a sample owns it */
}

struct err *spec_blame(const struct spec *spec, const char *key, struct err *err)
{
	if (!err)
		return NULL;
	snprintf(err->where, sizeof err->where, "%s.lua:1", spec->name);
	snprintf(err->key, sizeof err->key, "%s", key);
	return err;
}

int bundle_encode(const struct spec *spec, unsigned char **bytes, size_t *length, struct err *err)
{
	*length = strlen(spec->name);
	*bytes = malloc(*length);
	if (!*bytes)
		return err_set(err, "out of memory");
	memcpy(*bytes, spec->name, *length);
	return 0;
}

const struct value *value_get(const struct value *table, const char *key)
{
	if (!table || table->type != VALUE_TABLE)
		return NULL;
	for (size_t i = 0; i < table->as.table.count; i++) {
		const struct pair *pair = &table->as.table.pairs[i];

		if (pair->key.type == VALUE_STRING && strcmp(pair->key.as.string.bytes, key) == 0)
			return &pair->value;
	}
	return NULL;
}

const char *source_getenv(const struct source *source, const char *name)
{
	size_t length = strlen(name);

	for (char **entry = source->environment; entry && *entry; entry++)
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

void source_finish(struct source *source)
{
	for (char **entry = source->environment; entry && *entry; entry++)
		free(*entry);
	free(source->environment);
	free(source->path);
	*source = (struct source){0};
}
