#include "host/stamps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/trust.h"

/* Files in a folder of the test's own. */

struct play {
	char folder[32], a[48], b[48];
	struct stamps stamps;
	struct timespec since;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

/* A moment that no file of the test is as young as. */
static int begin(void **state)
{
	struct play *play = calloc(1, sizeof *play);

	snprintf(play->folder, sizeof play->folder, "/tmp/luvd_stamps_XXXXXX");
	if (!play || !mkdtemp(play->folder))
		return -1;
	snprintf(play->a, sizeof play->a, "%s/a", play->folder);
	snprintf(play->b, sizeof play->b, "%s/b", play->folder);
	clock_gettime(CLOCK_REALTIME, &play->since);
	play->since.tv_sec += 60;
	write_file(play->a, "a");
	*state = play;
	return 0;
}

static int end(void **state)
{
	struct play *play = *state;

	stamps_finish(&play->stamps);
	unlink(play->a);
	unlink(play->b);
	rmdir(play->folder);
	free(play);
	return 0;
}

static void follow(struct play *play)
{
	char *first[] = {play->b, play->a, NULL}, *second[] = {play->a, NULL};

	assert_int_equal(stamps_set(&play->stamps, first, second, &play->since), 0);
}

static void a_file_that_is_named_twice_is_looked_at_once(void **state)
{
	struct play *play = *state;

	follow(play);
	assert_int_equal(play->stamps.count, 2);
	assert_string_equal(stamps_path(&play->stamps, 0), play->a);
	assert_string_equal(stamps_path(&play->stamps, 1), play->b);
}

static void what_comes_goes_or_is_written_is_seen_once(void **state)
{
	struct play *play = *state;

	follow(play);
	assert_false(stamps_look(&play->stamps));
	write_file(play->a, "longer");
	assert_true(stamps_look(&play->stamps));
	assert_false(stamps_look(&play->stamps));
	write_file(play->b, "b");
	assert_true(stamps_look(&play->stamps));
	assert_false(stamps_look(&play->stamps));
	assert_int_equal(rename(play->b, play->a), 0);
	assert_true(stamps_look(&play->stamps));
	assert_false(stamps_look(&play->stamps));
	assert_int_equal(chmod(play->a, 0600), 0);
	assert_int_equal(unlink(play->a), 0);
	assert_true(stamps_look(&play->stamps));
	assert_false(stamps_look(&play->stamps));
}

static void what_was_written_since_it_was_read_is_a_change(void **state)
{
	struct play *play = *state;

	play->since = (struct timespec){0};
	follow(play);
	assert_true(stamps_look(&play->stamps));
	assert_false(stamps_look(&play->stamps));
}

/* However soon. */
static void what_is_written_after_the_clock_was_read_is_a_change(void **state)
{
	struct play *play = *state;

	for (int i = 0; i < 100; i++) {
		stamps_finish(&play->stamps);
		unlink(play->a);
		trust_clock(&play->since);
		write_file(play->a, "new");
		follow(play);
		assert_true(stamps_look(&play->stamps));
	}
}

static void another_list_keeps_what_was_seen_of_its_files(void **state)
{
	struct play *play = *state;

	follow(play);
	write_file(play->a, "longer");
	follow(play);
	assert_true(stamps_look(&play->stamps));
	follow(play);
	assert_false(stamps_look(&play->stamps));
}

static void a_list_is_bounded(void **state)
{
	struct play *play = *state;
	char **paths = calloc(STAMPS_MAX + 11, sizeof *paths);

	assert_non_null(paths);
	for (int i = 0; i < STAMPS_MAX + 10; i++)
		assert_true(asprintf(&paths[i], "/nowhere/%d", i) > 0);
	assert_int_equal(stamps_set(&play->stamps, paths, paths, &play->since), 0);
	assert_int_equal(play->stamps.count, STAMPS_MAX);
	for (int i = 0; i < STAMPS_MAX + 10; i++)
		free(paths[i]);
	free(paths);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_file_that_is_named_twice_is_looked_at_once, begin,
					    end),
	    cmocka_unit_test_setup_teardown(what_comes_goes_or_is_written_is_seen_once, begin, end),
	    cmocka_unit_test_setup_teardown(what_was_written_since_it_was_read_is_a_change, begin,
					    end),
	    cmocka_unit_test_setup_teardown(what_is_written_after_the_clock_was_read_is_a_change,
					    begin, end),
	    cmocka_unit_test_setup_teardown(another_list_keeps_what_was_seen_of_its_files, begin,
					    end),
	    cmocka_unit_test_setup_teardown(a_list_is_bounded, begin, end),
	};

	return cmocka_run_group_tests_name("files that somebody waits for", tests, NULL, NULL);
}
