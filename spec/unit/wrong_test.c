#include "spec_fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRONG_DIR LUVD_SOURCE_DIR "/spec/plan/wrong"

/* What wrong daemon files say: spec/plan/wrong/NAME.lua and beside it NAME.txt.
 * UPDATE_GOLDEN=1 writes the texts anew. A first line "-- --set a=1 --set b=2" gives arguments. */

enum { SETS_MAX = 16, TEXT_MAX = 65536 };

static void read_file(const char *path, char *text)
{
	FILE *file = fopen(path, "re");
	size_t length;

	text[0] = 0;
	if (!file)
		return;
	length = fread(text, 1, TEXT_MAX - 1, file);
	text[length] = 0;
	fclose(file);
}

/* Cuts line into the arguments of its --set options. */
static void find_sets(char *line, char **sets)
{
	int count = 0;

	line[strcspn(line, "\n")] = 0;
	for (char *at = strstr(line, "--set "); at && count < SETS_MAX; at = strstr(at, "--set ")) {
		*at = 0;
		at += 6;
		sets[count++] = at;
	}
	for (int i = 0; i < count; i++)
		sets[i][strcspn(sets[i], " ")] = 0;
}

/* The folder's own path, and where the system keeps modules, differ from machine to machine. */
static void put_portable(FILE *out, const char *text)
{
	const char *places = text ? strstr(text, ", '/usr") : NULL;
	size_t length = places ? (size_t)(places - text) : text ? strlen(text) : 0;

	for (const char *end = text + length; text < end; text++) {
		if (strncmp(text, WRONG_DIR, strlen(WRONG_DIR)) == 0) {
			fputs("DIR", out);
			text += strlen(WRONG_DIR) - 1;
		} else {
			fputc(*text, out);
		}
	}
	fputs(places ? ", ..." : "", out);
}

static void tell(const char *name, char *told, size_t size)
{
	static char *environment[] = {"HOME=/home/ann", NULL};
	char path[512], text[TEXT_MAX], *sets[SETS_MAX + 1] = {NULL}, line[ERR_TEXT_MAX];
	struct source source = {.path = path,
				.shown = (char *)name,
				.sets = sets,
				.environment = environment,
				.hostname = "box",
				.cpus = 4,
				.uid = 4711,
				.owner = 4711};
	struct spec *spec;
	struct errs errs = {0};
	FILE *out = fmemopen(told, size, "w");

	assert_non_null(out);
	snprintf(path, sizeof path, "%s/%s", WRONG_DIR, name);
	read_file(path, text);
	if (strncmp(text, "-- --set", 8) == 0)
		find_sets(text + 3, sets);
	assert_int_equal(spec_load(&spec, &source, &errs), -1);
	for (size_t i = 0; i < errs.count; i++) {
		fputs("luvd: ", out);
		put_portable(out, err_text(&errs.list[i], line, sizeof line));
		fputc('\n', out);
		put_portable(out, errs.quotes[i]);
	}
	errs_finish(&errs);
	fputc(0, out);
	fclose(out);
}

static void compare(const char *name)
{
	static char told[TEXT_MAX], golden[TEXT_MAX];
	char path[512];
	FILE *file;

	tell(name, told, sizeof told);
	snprintf(path, sizeof path, "%s/%.*s.txt", WRONG_DIR, (int)strlen(name) - 4, name);
	if (getenv("UPDATE_GOLDEN")) {
		file = fopen(path, "we");
		assert_non_null(file);
		fputs(told, file);
		assert_int_equal(fclose(file), 0);
	}
	read_file(path, golden);
	if (strcmp(told, golden) != 0)
		fail_msg("%s says\n%sinstead of\n%s", name, told, golden);
}

static int is_daemon_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 4 && strcmp(entry->d_name + length - 4, ".lua") == 0;
}

static void wrong_daemon_files_say_what_is_wrong(void **state)
{
	struct dirent **entries;
	int count = scandir(WRONG_DIR, &entries, is_daemon_file, alphasort);

	(void)state;
	assert_true(count >= 25);
	for (int i = 0; i < count; i++)
		compare(entries[i]->d_name);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wrong_daemon_files_say_what_is_wrong),
	};

	return cmocka_run_group_tests_name("wrong daemon files", tests, NULL, NULL);
}
