#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "sys/sys.h"
#include "sys_fake.h"
#include "unit/unit.h"

/* What `unit` prints, compared with the golden files spec/plan/unit/NAME. UPDATE_GOLDEN=1 in the
 * environment writes them anew:  UPDATE_GOLDEN=1 ctest --test-dir build -R unit.unit */

static struct sample sample;

static char config[] = "config.banner=it's $5, 100%", name[] = "name=jail";
static char *sets[] = {config, name, NULL};
static char kept[] = "TZ";
static char *keep[] = {kept, NULL};

static void settle(const char *path)
{
	struct spec *spec = &sample.spec;

	sample.daemon.source.path = strdup(path);
	spec->timeout_start = spec->timeout_reload = spec->timeout_stop = 30000;
}

static void jail(void)
{
	fake_reset(true);
	sample_jail(&sample, "");
	settle("/srv/jail.lua");
	sample.daemon.source.sets = strings_copy(sets);
	sample.spec.description = (char *)"100% \"quotes\"";
	sample.spec.environment_keep = keep;
	sample.spec.workers = 2;
	sample.spec.timeout_watchdog = 30000;
}

static void hello_user(void)
{
	fake_reset(false);
	sample_hello(&sample, false);
	settle("/home/ann/hello world.lua");
	sample.spec.workers = 1;
}

static char *print(const char *form_name, struct err *err)
{
	struct unit unit = {.daemon = &sample.daemon, .program = "/usr/local/bin/luvd"};
	const struct unit_form *form = unit_form_find(form_name, err);
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int result;

	assert_non_null(form);
	sample.daemon.background = form->background;
	result = unit_print(form, &unit, out, err);
	fclose(out);
	if (result == 0)
		return text;
	free(text);
	return NULL;
}

static void write_golden(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void compare(const char *form, const char *golden_name)
{
	char path[512], golden[16384] = "";
	struct err err = {0};
	char *text = print(form, &err);
	FILE *file;

	assert_non_null(text);
	snprintf(path, sizeof path, LUVD_SOURCE_DIR "/spec/plan/unit/%s", golden_name);
	if (getenv("UPDATE_GOLDEN"))
		write_golden(path, text);
	file = fopen(path, "r");
	assert_non_null(file);
	golden[fread(golden, 1, sizeof golden - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, golden);
	free(text);
}

static int end(void **state)
{
	(void)state;
	strings_free(sample.daemon.source.sets);
	sample.daemon.source.sets = NULL;
	sample_finish(&sample);
	return 0;
}

static void a_jail_in_each_form(void **state)
{
	(void)state;
	jail();
	compare(NULL, "jail.service");
	compare("rc.d", "jail.rc");
	compare("s6", "jail.s6");
	compare("runit", "jail.runit");
	compare("logrotate", "jail.logrotate");
}

static void a_classic_jail(void **state)
{
	(void)state;
	jail();
	sample.spec.workers = 0;
	compare("systemd", "classic.service");
	compare("logrotate", "classic.logrotate");
}

static void a_daemon_of_an_ordinary_user(void **state)
{
	(void)state;
	hello_user();
	compare("systemd", "hello-user.service");
	compare("runit", "hello-user.runit");
	compare("logrotate", "hello-user.logrotate");
}

static void root_that_stays_root(void **state)
{
	(void)state;
	fake_reset(true);
	sample_hello(&sample, true);
	settle("/etc/hello.lua");
	sample.spec.workers = 1;
	compare("systemd", "hello-root.service");
}

static void a_form_that_is_not_there_names_those_that_are(void **state)
{
	struct err err = {0};

	(void)state;
	assert_null(unit_form_find("upstart", &err));
	assert_int_equal(err.exit, EXIT_USAGE);
	assert_string_equal(
	    err.what, "unit: --for: expected systemd, rc.d, s6, runit or logrotate, got 'upstart'");
	assert_string_equal(unit_form_find(NULL, &err)->name, "systemd");
}

static void a_log_that_is_no_file_is_not_rotated(void **state)
{
	struct err err = {0};

	(void)state;
	jail();
	sample.spec.log.to = SINK_SYSLOG;
	assert_null(print("logrotate", &err));
	assert_non_null(strstr(err.what, "nothing to rotate"));
}

static void a_path_with_a_newline_is_refused_by_all(void **state)
{
	(void)state;
	jail();
	free(sample.daemon.source.path);
	sample.daemon.source.path = strdup("/srv/a\nb.lua");
	for (const struct unit_form *form = unit_forms; form->name; form++) {
		struct err err = {0};

		assert_null(print(form->name, &err));
		assert_non_null(strstr(err.what, "'/srv/a\\x0ab.lua'"));
	}
}

static void a_file_in_tmp_is_not_hidden(void **state)
{
	struct err err = {0};
	char *text;

	(void)state;
	jail();
	snprintf(sample.file, sizeof sample.file, "/tmp/series");
	text = print("systemd", &err);
	assert_non_null(text);
	assert_non_null(strstr(text, "\nPrivateTmp=no\n"));
	assert_null(strstr(text, "\nPrivateTmp=yes\n"));
	free(text);
}

static void a_limit_that_systemd_does_not_give_is_asked_for(void **state)
{
	struct err err = {0};
	char *text;

	(void)state;
	jail();
	sample.limits[0].value = 65536;
	text = print("systemd", &err);
	assert_non_null(text);
	assert_non_null(strstr(text, "\nLimitNOFILE=1024:65536\n"));
	assert_null(strstr(text, "SYS_RESOURCE"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(a_jail_in_each_form, end),
	    cmocka_unit_test_teardown(a_classic_jail, end),
	    cmocka_unit_test_teardown(a_daemon_of_an_ordinary_user, end),
	    cmocka_unit_test_teardown(root_that_stays_root, end),
	    cmocka_unit_test(a_form_that_is_not_there_names_those_that_are),
	    cmocka_unit_test_teardown(a_log_that_is_no_file_is_not_rotated, end),
	    cmocka_unit_test_teardown(a_path_with_a_newline_is_refused_by_all, end),
	    cmocka_unit_test_teardown(a_file_in_tmp_is_not_hidden, end),
	    cmocka_unit_test_teardown(a_limit_that_systemd_does_not_give_is_asked_for, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
