#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/console_edit.h"
#include "cmd/console_history.h"
#include "cmd/console_session.h"

/* --- words and candidates --- */

static void the_last_word_is_a_name_with_its_dots(void **state)
{
	static const struct {
		const char *text;
		size_t word;
	} cases[] = {{"", 0},     {"string.fo", 0},      {"return daemon.co", 7}, {"f(a.b:c", 2},
		     {"x = ", 4}, {"'\xc3\xa9'..na", 4}, {"a[1].b", 4},           {"_x1", 0}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(edit_word(cases[i].text, strlen(cases[i].text)), cases[i].word);
}

static void candidates_have_their_beginning_in_common(void **state)
{
	static const struct {
		const char *text;
		size_t common, count;
	} cases[] = {{"", 0, 0},
		     {"print\n", 5, 1},
		     {"print", 5, 1},
		     {"string.find\nstring.format\n", 8, 2},
		     {"pairs\npcall\nprint\n", 1, 3},
		     {"a\na\n", 1, 2},
		     {"abc\nab\n", 2, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t count;

		assert_int_equal(edit_common(cases[i].text, &count), cases[i].common);
		assert_int_equal(count, cases[i].count);
	}
}

static void only_a_missing_end_leaves_a_text_unfinished(void **state)
{
	(void)state;
	assert_true(session_is_unfinished("console:1: 'end' expected near <eof>\n"));
	assert_true(session_is_unfinished("console:1: 'end' expected near <eof>"));
	assert_true(session_is_unfinished("console:1: unfinished string near <eof>\ntraceback"));
	assert_false(session_is_unfinished("console:1: unexpected symbol near '<eof>'\n"));
	assert_false(session_is_unfinished("no\nnear <eof>\n"));
	assert_false(session_is_unfinished(""));
	assert_false(session_is_unfinished("<eof>"));
}

/* --- history --- */

static char folder[] = "/tmp/console-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s%s", folder, name);
	return path;
}

static int history_of(const char *variable)
{
	char entry[256];
	char *environment[] = {entry, NULL};
	const struct source source = {.environment = environment};

	snprintf(entry, sizeof entry, "%s=%s", variable, folder);
	return history_folder(&source);
}

static void put(int fd, const char *text)
{
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static mode_t mode_of(const char *name)
{
	struct stat stat;

	assert_int_equal(lstat(path_of(name), &stat), 0);
	return stat.st_mode & 07777;
}

static void the_history_is_for_nobody_else(void **state)
{
	mode_t before = umask(0);
	int home = history_of("HOME");
	char text[8] = "";
	int fd;

	(void)state;
	assert_true(home >= 0);
	assert_int_equal(history_read(home), -1); /* there is none yet */
	put(history_write(home), "longer");
	put(history_write(home), "short");
	umask(before);
	assert_int_equal(mode_of("/.local/state/luvd"), 0700);
	assert_int_equal(mode_of("/.local/state/luvd/console_history"), 0600);
	fd = history_read(home);
	assert_int_equal(read(fd, text, sizeof text), 5);
	assert_string_equal(text, "short");
	close(fd);
	close(home);
}

static void the_history_never_goes_through_a_link(void **state)
{
	int home = history_of("XDG_STATE_HOME");

	(void)state;
	assert_true(home >= 0);
	assert_int_equal(symlink("/etc/passwd", path_of("/luvd/console_history")), 0);
	assert_int_equal(history_read(home), -1);
	assert_int_equal(history_write(home), -1);
	assert_int_equal(unlink(path_of("/luvd/console_history")), 0);
	assert_int_equal(mkfifo(path_of("/luvd/console_history"), 0600), 0);
	assert_int_equal(history_read(home), -1); /* and does not wait for a writer */
	assert_int_equal(unlink(path_of("/luvd/console_history")), 0);
	close(home);
}

static void a_folder_that_others_may_write_to_has_no_history(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path_of("/luvd"), 0700), 0);
	assert_int_equal(chmod(path_of("/luvd"), 0770), 0);
	assert_int_equal(history_of("XDG_STATE_HOME"), -1);
	assert_int_equal(rmdir(path_of("/luvd")), 0);
	assert_int_equal(symlink("/tmp", path_of("/luvd")), 0);
	assert_int_equal(history_of("XDG_STATE_HOME"), -1);
	assert_int_equal(unlink(path_of("/luvd")), 0);
	assert_int_equal(history_of("NOTHING"), -1);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/console-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const left[] = {"/.local/state/luvd/console_history",
					   "/.local/state/luvd",
					   "/.local/state",
					   "/.local",
					   "/luvd",
					   ""};

	(void)state;
	for (size_t i = 0; i < sizeof left / sizeof *left; i++)
		(void)remove(path_of(left[i]));
	return access(folder, F_OK) == 0 ? -1 : 0;
}

int main(void)
{
#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_word_is_a_name_with_its_dots),
	    cmocka_unit_test(candidates_have_their_beginning_in_common),
	    cmocka_unit_test(only_a_missing_end_leaves_a_text_unfinished),
	    WITH_FOLDER(the_history_is_for_nobody_else),
	    WITH_FOLDER(the_history_never_goes_through_a_link),
	    WITH_FOLDER(a_folder_that_others_may_write_to_has_no_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
