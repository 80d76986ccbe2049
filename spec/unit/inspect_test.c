#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/monitor/inspect.h"
#include "sys/sys.h"

/* What the kernel says of a worker against what it shall be: samples of /proc/PID/status, and real
 * processes. */

static const gid_t groups[] = {100, 7};

static const struct aim aim = {.ids = true,
			       .new_capabilities = true,
			       .new_bounding = true,
			       .uid = 65534,
			       .gid = 65533,
			       .gids = groups,
			       .gid_count = 2,
			       .capabilities = 0x400,
			       .bounding = 0x400};

static const char right[] = "Name:\techo\nUmask:\t0027\nState:\tS (sleeping)\nNgid:\t0\n"
			    "Uid:\t65534\t65534\t65534\t65534\n"
			    "Gid:\t65533\t65533\t65533\t65533\n"
			    "FDSize:\t64\nGroups:\t7 100 \nVmRSS:\t    3924 kB\nThreads:\t5\n"
			    "SigBlk:\t0000000000000000\n"
			    "CapInh:\t0000000000000400\nCapPrm:\t0000000000000400\n"
			    "CapEff:\t0000000000000400\nCapBnd:\t0000000000000400\n"
			    "CapAmb:\t0000000000000400\nNoNewPrivs:\t1\nSeccomp:\t0\n";

/* The sample with one text in another's place. */
static const char *with(const char *old, const char *new)
{
	static char text[2048];
	const char *at = strstr(right, old);

	assert_non_null(at);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - right), right, new, at + strlen(old));
	return text;
}

static void says(const char *text, const struct aim *wanted, const char *words)
{
	struct err err = {0};

	assert_int_equal(inspect_status(text, wanted, &err), -1);
	assert_string_equal(err.what, words);
}

static void a_worker_that_is_what_it_shall_be_is_believed(void **state)
{
	struct err err = {0};

	(void)state;
	assert_int_equal(inspect_status(right, &aim, &err), 0);
}

static void each_of_its_ids_counts(void **state)
{
	(void)state;
	says(with("Uid:\t65534", "Uid:\t0"), &aim, "Uid is 0, not 65534");
	says(with("65534\t65534\n", "65534\t0\n"), &aim, "Uid is 0, not 65534");
	says(with("65533\t65533\n", "0\t65533\n"), &aim, "Gid is 0, not 65533");
	says(with("Gid:\t65533", "Gid:\t-1"), &aim, "the kernel does not tell its Gid");
}

static void its_groups_are_those_asked_for_in_any_order(void **state)
{
	(void)state;
	says(with("7 100 ", "0 7 100 "), &aim, "it is in group 0, which was not asked for");
	says(with("7 100 ", "7 "), &aim, "it is not in group 100");
	says(with("7 100 ", "7 7 "), &aim, "it is not in group 100");
	says(with("Groups:", "Croups:"), &aim, "the kernel does not tell its Groups");
}

static void every_set_of_capabilities_counts(void **state)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};

	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		char old[64], new[64], words[128];

		snprintf(old, sizeof old, "%s:\t0000000000000400", sets[i]);
		snprintf(new, sizeof new, "%s:\t000001ffffffffff", sets[i]);
		snprintf(words, sizeof words, "%s is 000001ffffffffff, not 0000000000000400",
			 sets[i]);
		says(with(old, new), &aim, words);
	}
	says(with("CapEff:\t0000000000000400", "CapEff:\tnone"), &aim,
	     "the kernel does not tell its CapEff");
}

static void what_may_stay_as_it_is_is_not_looked_at(void **state)
{
	struct aim root = {.uid = 65534, .gid = 65533};
	struct err err = {0};

	(void)state;
	assert_int_equal(inspect_status(with("7 100 ", "1 2 3 "), &root, &err), 0);
	assert_int_equal(inspect_status(with("CapEff:\t0", "CapEff:\tf"), &root, &err), 0);
}

static void new_privileges_must_be_forbidden(void **state)
{
	(void)state;
	says(with("NoNewPrivs:\t1", "NoNewPrivs:\t0"), &aim, "NoNewPrivs is not set");
	says(with("NoNewPrivs:\t1", "NoNewPrivs:\t10"), &aim, "NoNewPrivs is not set");
	says("", &aim, "the kernel does not tell its Uid");
	says("NoNewPrivs:\t1\n", &aim, "the kernel does not tell its Uid");
}

/* The name is the service's to choose, and cannot hold a newline: /proc writes "\n". */
static void a_name_is_no_line(void **state)
{
	(void)state;
	says(with("Name:\techo\nUmask:\t0027", "Name:\tUid:\t65534"), &(struct aim){.uid = 1},
	     "Uid is 65534, not 1");
}

/* --- real processes --- */

static pid_t child(void)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		sys_no_new_privs();
		(void)!write(ends[1], "", 1);
		close(ends[1]);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void a_real_process_is_looked_at_thread_by_thread(void **state)
{
	struct aim mine = {.uid = getuid(), .gid = getgid()};
	struct err err = {0};
	pid_t pid = child();

	(void)state;
	assert_int_equal(inspect_process(pid, &mine, &err), INSPECT_RIGHT);
	mine.uid++;
	assert_int_equal(inspect_process(pid, &mine, &err), INSPECT_WRONG);
	assert_non_null(strstr(err.what, "Uid is "));
	end(pid);
}

static void one_that_proc_does_not_show_is_hidden(void **state)
{
	struct err err = {0};
	pid_t pid = child();

	(void)state;
	end(pid);
	assert_int_equal(inspect_process(pid, &aim, &err), INSPECT_HIDDEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_worker_that_is_what_it_shall_be_is_believed),
	    cmocka_unit_test(each_of_its_ids_counts),
	    cmocka_unit_test(its_groups_are_those_asked_for_in_any_order),
	    cmocka_unit_test(every_set_of_capabilities_counts),
	    cmocka_unit_test(what_may_stay_as_it_is_is_not_looked_at),
	    cmocka_unit_test(new_privileges_must_be_forbidden),
	    cmocka_unit_test(a_name_is_no_line),
	    cmocka_unit_test(a_real_process_is_looked_at_thread_by_thread),
	    cmocka_unit_test(one_that_proc_does_not_show_is_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
