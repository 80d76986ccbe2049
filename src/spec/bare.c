#include <stdio.h>
#include <stdlib.h>

#include "spec/check.h"

struct spec *spec_bare(const char *name, const char *folder)
{
	struct spec *spec = calloc(1, sizeof *spec);
	struct errs errs = {0};
	struct check check = {.spec = spec, .errs = &errs, .folder = folder};

	if (!spec)
		return NULL;
	spec->arena = check.arena = arena_create();
	if (!check.arena || asprintf(&spec->source.path, "%s/%s", folder, name) < 0) {
		spec->source.path = NULL;
		spec_destroy(spec);
		return NULL;
	}
	check_defaults(&check, "", "", spec, NULL);
	errs_finish(&errs); /* no default is wrong */
	spec->name = arena_text(check.arena, name);
	return spec;
}
