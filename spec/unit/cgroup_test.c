#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "host/monitor/cgroup.h"

/* What the kernel says of a process's groups, and of mounts; then groups that are none. */

static void the_path_is_that_of_version_2(void **state)
{
	char path[CGROUP_PATH_MAX] = "";

	(void)state;
	assert_true(cgroup_read("0::/\n", path));
	assert_string_equal(path, "/");
	assert_true(cgroup_read("12:cpu,cpuacct:/old\n1:name=systemd:/init.scope\n"
				"0::/system.slice/a b.service\n",
				path));
	assert_string_equal(path, "/system.slice/a b.service");
	assert_true(cgroup_read("0::/no end", path));
	assert_string_equal(path, "/no end");
}

static void no_path_is_read_from_other_lines(void **state)
{
	static char text[CGROUP_PATH_MAX + 8];
	char path[CGROUP_PATH_MAX];

	(void)state;
	assert_false(cgroup_read("", path));
	assert_false(cgroup_read("4:memory:/0::/x\n10::/y\n", path));
	assert_false(cgroup_read("0::\n", path));
	/* Outside of our namespace. */
	assert_false(cgroup_read("0::/../other\n", path));
	assert_false(cgroup_read("0::/..\n", path));
	snprintf(text, sizeof text, "0::/%0*d", CGROUP_PATH_MAX - 1, 0);
	assert_false(cgroup_read(text, path));
}

static void assert_at(const char *line, const char *path, const char *wanted)
{
	char folder[CGROUP_PATH_MAX];

	assert_true(cgroup_mounted(line, path, folder));
	assert_string_equal(folder, wanted);
}

static void a_mount_shows_where_the_group_is(void **state)
{
	static const char plain[] =
	    "26 23 0:24 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw\n";

	(void)state;
	assert_at(plain, "/", "/sys/fs/cgroup/");
	assert_at(plain, "/system.slice/x.service", "/sys/fs/cgroup/system.slice/x.service");
	/* A container without a namespace of its own: its group is the root of the mount. */
	assert_at("9 8 0:7 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup ro\n", "/docker/abc",
		  "/sys/fs/cgroup");
	assert_at("9 8 0:7 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup ro\n", "/docker/abc/in",
		  "/sys/fs/cgroup/in");
	assert_at("9 8 0:7 / /a\\040b\\134c rw - cgroup2 none rw\n", "/x", "/a b\\c/x");
}

static void other_mounts_show_nothing(void **state)
{
	static const char *const lines[] = {
	    "",
	    "26 23 0:24 / /sys/fs/cgroup rw - cgroup cgroup rw,cpu\n",
	    "26 23 0:24 / /sys/fs/cgroup rw - cgroup2x cgroup rw\n",
	    "9 8 0:7 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
	    "9 8 0:7 /docker/abcde /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
	    "9 8 0:7 /docker/abcd/in /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
	    " - cgroup2 cgroup rw\n",
	    "9 8 - cgroup2 cgroup rw\n",
	    "9 8 0:7 / - cgroup2 cgroup rw\n",
	};
	char folder[CGROUP_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		assert_false(cgroup_mounted(lines[i], "/docker/abcd", folder));
}

static void without_a_group_of_our_own_nothing_is_made_and_nothing_fails(void **state)
{
	struct cgroups cgroups = {.folder = -1, .name = "echo"};
	char name[CGROUP_NAME_MAX] = "before";

	(void)state;
	assert_int_equal(cgroups_make(&cgroups, 1, 2, name), -1);
	assert_string_equal(name, "");
	cgroups_kill(&cgroups, name);
	cgroups_end(&cgroups, name);
	cgroups_end(&cgroups, "luvd.echo.1.2.3-4");
	assert_int_equal(cgroups.dying_count, 0);
	cgroups_sweep(&cgroups);
	cgroups_close(&cgroups, 0);
}

static void a_process_that_is_none_has_no_group(void **state)
{
	char name[CGROUP_NAME_MAX];

	(void)state;
	assert_false(cgroup_of(0x7fffffff, name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_path_is_that_of_version_2),
	    cmocka_unit_test(no_path_is_read_from_other_lines),
	    cmocka_unit_test(a_mount_shows_where_the_group_is),
	    cmocka_unit_test(other_mounts_show_nothing),
	    cmocka_unit_test(without_a_group_of_our_own_nothing_is_made_and_nothing_fails),
	    cmocka_unit_test(a_process_that_is_none_has_no_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
