#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "err.h"

static void text_is(const struct err *err, const char *expected)
{
	char text[ERR_TEXT_MAX];

	assert_string_equal(err_text(err, text, sizeof text), expected);
}

static void an_error_is_place_key_what_and_reason(void **state)
{
	struct err err = {.where = "echo.lua:12", .key = "listen.web", .step = "listen"};

	(void)state;
	errno = EACCES;
	assert_int_equal(err_sys(&err, "cannot bind %s", "tcp://0.0.0.0:80"), -1);
	text_is(&err, "echo.lua:12: listen.web: cannot bind tcp://0.0.0.0:80: permission denied");
}

static void a_step_stands_where_no_key_is_to_blame(void **state)
{
	struct err err = {.step = "chroot"};

	(void)state;
	errno = EPERM;
	err_sys(&err, "cannot enter '%s'", "/srv/echo");
	text_is(&err, "chroot: cannot enter '/srv/echo': operation not permitted");
}

static void what_no_system_call_said_has_no_reason(void **state)
{
	struct err err = {.code = ENOENT};

	(void)state;
	errno = EIO;
	assert_int_equal(err_set(&err, "already running, pid %d", 4711), -1);
	assert_int_equal(err.code, 0);
	text_is(&err, "already running, pid 4711");
}

static void filling_leaves_errno_and_takes_nobody(void **state)
{
	struct err err = {0};

	(void)state;
	errno = ENOSPC;
	err_sys(&err, "cannot write");
	assert_int_equal(err.code, ENOSPC);
	assert_int_equal(err_sys(NULL, "nobody listens"), -1);
	assert_int_equal(err_set(NULL, "nobody listens"), -1);
}

static void what_is_too_long_is_cut_within_its_bounds(void **state)
{
	struct err err = {0};
	char long_text[4000], text[64];

	(void)state;
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	err_set(&err, "%s", long_text);
	assert_int_equal(strlen(err.what), sizeof err.what - 1);
	assert_int_equal(strlen(err_text(&err, text, sizeof text)), sizeof text - 1);
}

static void reasons_begin_in_lower_case(void **state)
{
	(void)state;
	assert_string_equal(err_reason(ENOENT), "no such file or directory");
	assert_string_equal(err_reason(EPERM), "operation not permitted");
	assert_string_equal(err_reason(ENOCSI), "no CSI structure available");
	assert_string_equal(err_reason(EL2HLT), "level 2 halted");
}

static void a_list_counts_what_it_drops(void **state)
{
	struct errs errs = {0};

	(void)state;
	for (int i = 0; i < ERRS_MAX + 3; i++)
		err_set(errs_add(&errs), "error %d", i);
	assert_int_equal(errs.count, ERRS_MAX);
	assert_int_equal(errs.dropped, 3);
	assert_string_equal(errs.list[ERRS_MAX - 1].what, "error 63");
	errs_finish(&errs);
	assert_null(errs.list);
	assert_int_equal(errs.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_error_is_place_key_what_and_reason),
	    cmocka_unit_test(a_step_stands_where_no_key_is_to_blame),
	    cmocka_unit_test(what_no_system_call_said_has_no_reason),
	    cmocka_unit_test(filling_leaves_errno_and_takes_nobody),
	    cmocka_unit_test(what_is_too_long_is_cut_within_its_bounds),
	    cmocka_unit_test(reasons_begin_in_lower_case),
	    cmocka_unit_test(a_list_counts_what_it_drops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
