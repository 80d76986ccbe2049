#include "spec_fixture.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spec/trust.h"

/* While the kernel is asked for the real path of a file, another takes its place: so many times. */
char *__real_realpath(const char *path, char *buffer);
char *__wrap_realpath(const char *path, char *buffer);
static int replaced_times;

char *__wrap_realpath(const char *path, char *buffer)
{
	char other[200];
	FILE *file;

	if (replaced_times > 0) {
		replaced_times--;
		snprintf(other, sizeof other, "%s.new", path);
		file = fopen(other, "w");
		assert_non_null(file);
		fprintf(file, "%d", replaced_times);
		assert_int_equal(fclose(file), 0);
		assert_int_equal(rename(other, path), 0);
	}
	return __real_realpath(path, buffer);
}

/* How often the name service was asked. */
int __real_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
		      struct passwd **found);
int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
		      struct passwd **found);
static int names_asked;

int __wrap_getpwuid_r(uid_t uid, struct passwd *entry, char *buffer, size_t size,
		      struct passwd **found)
{
	names_asked++;
	return __real_getpwuid_r(uid, entry, buffer, size, found);
}

/* The rules for root: source.uid is 0. They can be tried by anybody who is the owner. */

static const char text[] = "return { service = { start = function() end } }";

static int as_root(void **state)
{
	struct fixture *fixture;

	if (fixture_setup(state) < 0)
		return -1;
	fixture = *state;
	fixture->source.uid = 0;
	fixture->source.owner = getuid();
	return 0;
}

static void says(struct fixture *fixture, const char *part)
{
	assert_int_equal(fixture_load(fixture, NULL), -1);
	if (!strstr(fixture->errs.list[0].what, part))
		fail_msg("'%s' does not say '%s'", fixture->errs.list[0].what, part);
}

static void a_private_file_below_a_sticky_folder_is_trusted(void **state)
{
	fixture_right(*state, text);
}

static void a_file_that_others_may_write_is_not(void **state)
{
	struct fixture *fixture = *state;

	fixture_write(fixture, "main.lua", text);
	assert_int_equal(chmod(fixture->path, 0664), 0);
	says(fixture, "mode 0664) is writable by others: chmod g-w '");
	assert_int_equal(chmod(fixture->path, 0646), 0);
	says(fixture, "chmod o-w '");
	assert_int_equal(chmod(fixture->path, 0666), 0);
	says(fixture, "chmod go-w '");
}

static void nor_is_one_in_a_folder_that_others_may_write(void **state)
{
	struct fixture *fixture = *state;

	fixture_write(fixture, "main.lua", text);
	assert_int_equal(chmod(fixture->folder, 0775), 0);
	says(fixture, "chmod g-w '/tmp/luvd-spec-");
	if (getuid() != 0)
		return; /* a sticky folder passes only when it is root's */
	assert_int_equal(chmod(fixture->folder, 01777), 0);
	assert_int_equal(fixture_load(fixture, NULL), 0);
}

static void nor_is_one_of_another_user(void **state)
{
	struct fixture *fixture = *state;

	if (getuid() != 0)
		skip(); /* only root can give files away */
	fixture_write(fixture, "main.lua", text);
	assert_int_equal(chown(fixture->path, 65534, 0), 0);
	says(fixture, "main.lua' belongs to nobody, who could change what root runs: chown root '");
	fixture->source.owner = 65534;
	assert_int_equal(fixture_load(fixture, NULL), 0);
}

static void a_link_is_followed_to_what_it_names(void **state)
{
	struct fixture *fixture = *state;
	char target[160];

	fixture_write(fixture, "real/echo.lua", text);
	snprintf(target, sizeof target, "%s/real", fixture->folder);
	assert_int_equal(symlink("real/echo.lua", fixture->path), 0);
	assert_int_equal(fixture_load(fixture, NULL), 0);
	assert_int_equal(chmod(target, 0777), 0);
	says(fixture, "/real' (owner ");
}

static void modules_and_includes_are_held_to_the_same(void **state)
{
	struct fixture *fixture = *state;
	char path[160];

	fixture_write(fixture, "room.lua", "return {}");
	fixture_write(fixture, "main.lua", "return { service = 'room' }");
	snprintf(path, sizeof path, "%s/room.lua", fixture->folder);
	assert_int_equal(chmod(path, 0666), 0);
	says(fixture, "room.lua' (owner ");
	assert_string_equal(fixture->errs.list[0].key, "service");
	fixture_write(fixture, "main.lua", "return include 'room.lua'");
	says(fixture, "room.lua' (owner ");
}

static void a_file_that_changes_after_it_was_read_is_seen(void **state)
{
	struct fixture *fixture = *state;
	struct stamp stamp;
	struct err err = {0};
	char path[160], *bytes;
	size_t length;

	fixture_write(fixture, "main.lua", text);
	assert_int_equal(trust_read(&fixture->source, fixture->path, &bytes, &length, &stamp, &err),
			 0);
	assert_string_equal(bytes, text);
	free(bytes);
	assert_true(trust_unchanged(fixture->path, &stamp));
	fixture_write(fixture, "other.lua", text);
	snprintf(path, sizeof path, "%s/other.lua", fixture->folder);
	assert_int_equal(rename(path, fixture->path), 0);
	assert_false(trust_unchanged(fixture->path, &stamp));
	assert_int_equal(unlink(fixture->path), 0);
	assert_false(trust_unchanged(fixture->path, &stamp));
}

static void a_file_that_is_replaced_while_it_is_looked_at_is_read_again(void **state)
{
	struct fixture *fixture = *state;
	struct stamp stamp;
	struct err err = {0};
	char *bytes;
	size_t length;

	fixture_write(fixture, "main.lua", text);
	replaced_times = 3;
	assert_int_equal(trust_read(&fixture->source, fixture->path, &bytes, &length, &stamp, &err),
			 0);
	assert_string_equal(bytes, "0");
	free(bytes);
	assert_string_equal(err.what, "");
	assert_true(trust_unchanged(fixture->path, &stamp));
}

static void but_not_for_ever(void **state)
{
	struct fixture *fixture = *state;
	struct stamp stamp;
	struct err err = {0};
	char *bytes;
	size_t length;

	fixture_write(fixture, "main.lua", text);
	replaced_times = 1000;
	assert_int_equal(trust_read(&fixture->source, fixture->path, &bytes, &length, &stamp, &err),
			 -1);
	assert_non_null(strstr(err.what, "was moved while it was read"));
	assert_true(replaced_times > 900);
	replaced_times = 0;
}

static void refused_program(struct fixture *fixture, const char *part)
{
	struct err err = {0};

	assert_int_equal(trust_open_program(&fixture->source, fixture->path, &err), -1);
	if (!strstr(err.what, part))
		fail_msg("'%s' does not say '%s'", err.what, part);
}

static void a_program_is_held_to_the_same_and_opened(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct stat node, opened;
	int fd;

	fixture_write(fixture, "main.lua", text);
	refused_program(fixture, "is not executable: chmod +x '");
	assert_int_equal(chmod(fixture->path, 0777), 0);
	refused_program(fixture, "mode 0777) is writable by others: chmod go-w '");
	assert_int_equal(chmod(fixture->path, 0755), 0);
	names_asked = 0; /* a monitor waits for the answer */
	fd = trust_open_program(&fixture->source, fixture->path, &err);
	assert_true(fd >= 0);
	assert_int_equal(names_asked, 0);
	assert_int_equal(fstat(fd, &opened), 0);
	assert_int_equal(stat(fixture->path, &node), 0);
	assert_int_equal(node.st_ino, opened.st_ino);
	close(fd);
	assert_int_equal(unlink(fixture->path), 0);
	refused_program(fixture, "cannot open '");
	assert_int_equal(mkdir(fixture->path, 0755), 0);
	refused_program(fixture, "is a folder");
	assert_int_equal(rmdir(fixture->path), 0);
}

#define ROOT_TEST(function) cmocka_unit_test_setup_teardown(function, as_root, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROOT_TEST(a_private_file_below_a_sticky_folder_is_trusted),
	    ROOT_TEST(a_file_that_others_may_write_is_not),
	    ROOT_TEST(nor_is_one_in_a_folder_that_others_may_write),
	    ROOT_TEST(nor_is_one_of_another_user),
	    ROOT_TEST(a_link_is_followed_to_what_it_names),
	    ROOT_TEST(modules_and_includes_are_held_to_the_same),
	    ROOT_TEST(a_program_is_held_to_the_same_and_opened),
	    TEST(a_file_that_changes_after_it_was_read_is_seen),
	    ROOT_TEST(a_file_that_is_replaced_while_it_is_looked_at_is_read_again),
	    ROOT_TEST(but_not_for_ever),
	};

	return cmocka_run_group_tests_name("whose file root may read", tests, NULL, NULL);
}
