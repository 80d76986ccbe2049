#include "spec_fixture.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ORDINARY_USER = 4711 };

int fixture_setup(void **state)
{
	static char *environment[] = {"HOME=/home/ann", "LANG=de_CH", "EMPTY=", NULL};
	struct fixture *fixture = calloc(1, sizeof *fixture);

	if (!fixture)
		return -1;
	strcpy(fixture->folder, "/tmp/luvd-spec-XXXXXX");
	if (!mkdtemp(fixture->folder))
		return -1;
	snprintf(fixture->path, sizeof fixture->path, "%s/main.lua", fixture->folder);
	fixture->source = (struct source){
	    .path = fixture->path,
	    .shown = "main.lua",
	    .environment = environment,
	    .hostname = "box",
	    .cpus = 4,
	    .uid = ORDINARY_USER,
	    .owner = ORDINARY_USER,
	};
	*state = fixture;
	return 0;
}

static int remove_node(const char *path, const struct stat *node, int type, struct FTW *ftw)
{
	(void)node;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_forget(struct fixture *fixture)
{
	spec_destroy(fixture->spec);
	fixture->spec = NULL;
	errs_finish(&fixture->errs);
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;
	int result;

	fixture_forget(fixture);
	result = nftw(fixture->folder, remove_node, 8, FTW_DEPTH | FTW_PHYS);
	free(fixture);
	return result;
}

void fixture_write(struct fixture *fixture, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
	for (char *slash = path + strlen(fixture->folder) + 1; (slash = strchr(slash, '/'));
	     slash++) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

int fixture_load(struct fixture *fixture, char **sets)
{
	fixture_forget(fixture);
	fixture->source.sets = sets;
	return spec_load(&fixture->spec, &fixture->source, &fixture->errs);
}

struct spec *fixture_right(struct fixture *fixture, const char *text)
{
	char told[ERR_TEXT_MAX];

	fixture_write(fixture, "main.lua", text);
	if (fixture_load(fixture, fixture->source.sets) < 0)
		fail_msg("%s", err_text(&fixture->errs.list[0], told, sizeof told));
	return fixture->spec;
}

void fixture_wrong(struct fixture *fixture, const char *text, const char *expected)
{
	char told[ERR_TEXT_MAX];

	fixture_write(fixture, "main.lua", text);
	assert_int_equal(fixture_load(fixture, fixture->source.sets), -1);
	assert_null(fixture->spec);
	assert_true(fixture->errs.count > 0);
	assert_string_equal(err_text(&fixture->errs.list[0], told, sizeof told), expected);
	assert_int_equal(fixture->errs.list[0].exit, EXIT_USAGE);
}
