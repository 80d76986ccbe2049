#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/crash.h"
#include "host/monitor/guard.h"
#include "sys/sys.h"

/* The image before is echo(1): it says what it was executed with. */

static bool caught; /* crash_catch, this test's own, was called */

void crash_catch(void)
{
	caught = true;
}

static char said[512];
static int status;

static void take_over(void (*body)(void))
{
	int ends[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		sys_signals_block_all();
		guard_begin(5, open("/bin/echo", O_RDONLY));
		body();
		_exit(0);
	}
	close(ends[1]);
	n = read(ends[0], said, sizeof said - 1);
	said[n > 0 ? n : 0] = 0;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void assert_given_back(const char *why)
{
	int self = -1, at = 0;

	assert_int_equal(status, 0);
	assert_int_equal(sscanf(said, "monitor resume 5 %d %n", &self, &at), 1);
	assert_in_range(self, 3, 1000);
	assert_int_equal(strncmp(said + at, why, strlen(why)), 0);
	assert_true(strlen(said) > strlen(why) + 100); /* room for a title */
}

static void crash(void)
{
	raise(SIGSEGV); /* a write to nowhere is ended by UBSan in its own way */
}

static void hang(void)
{
	raise(SIGALRM);
}

static void refuse(void)
{
	const struct err why = {.key = "state", .what = "cannot be read"};

	guard_give_back(&why);
}

static void succeed_and_die(void)
{
	guard_end();
	if (caught)
		abort();
}

static void test_one_that_dies_gives_the_daemon_back(void **state)
{
	(void)state;
	take_over(crash);
	assert_given_back("the new binary died from SIGSEGV when it took over ");
	take_over(abort);
	assert_given_back("the new binary died from SIGABRT when it took over ");
}

static void test_so_does_one_that_hangs(void **state)
{
	(void)state;
	take_over(hang);
	assert_given_back("the new binary has not taken over in time ");
}

static void test_or_that_cannot_go_on(void **state)
{
	(void)state;
	take_over(refuse);
	assert_given_back("state: cannot be read ");
}

static void test_later_it_dies_as_others_do(void **state)
{
	(void)state;
	take_over(succeed_and_die);
	assert_string_equal(said, "");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_one_that_dies_gives_the_daemon_back),
	    cmocka_unit_test(test_so_does_one_that_hangs),
	    cmocka_unit_test(test_or_that_cannot_go_on),
	    cmocka_unit_test(test_later_it_dies_as_others_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
