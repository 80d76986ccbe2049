#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/orphans.h"
#include "sys/sys.h"

/* Real processes that lose their parents. This process takes them; what a test leaves is ended by
 * its last call of orphans_end. */

static struct orphans orphans;

/* A process that waits until it is killed; leaves: in a session of its own. Orphaned: its parent
 * has ended. Returns its pid. */
static pid_t waiting(bool leaves, bool orphaned)
{
	int ends[2];
	pid_t pid, first;

	assert_int_equal(pipe(ends), 0);
	first = fork();
	if (first == 0) {
		pid = orphaned ? fork() : 0;
		if (pid == 0) {
			if (leaves)
				setsid();
			pid = getpid();
			(void)!write(ends[1], &pid, sizeof pid);
			close(ends[1]);
			pause();
		}
		_exit(0);
	}
	assert_int_equal(read(ends[0], &pid, sizeof pid), sizeof pid);
	close(ends[0]);
	close(ends[1]);
	if (orphaned)
		waitpid(first, NULL, 0);
	return pid;
}

static bool lives(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

static bool is_there(pid_t pid)
{
	return kill(pid, 0) == 0;
}

static int begin(void **state)
{
	(void)state;
	orphans = (struct orphans){0};
	return sys_subreaper();
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void an_orphan_is_killed_and_reaped(void **state)
{
	pid_t pid = waiting(true, true);

	(void)state;
	assert_true(lives(pid));
	assert_true(orphans_kill(&orphans));
	orphans_end(&orphans, 0);
	assert_false(is_there(pid));
	assert_false(orphans_kill(&orphans));
}

static void what_is_in_our_own_session_is_left_alone(void **state)
{
	pid_t pid = waiting(false, false);

	(void)state;
	assert_false(orphans_kill(&orphans));
	orphans_end(&orphans, 0);
	assert_true(lives(pid));
	end(pid);
}

static void a_child_from_before_is_a_stranger_that_is_only_reaped(void **state)
{
	pid_t pid = waiting(true, true);
	siginfo_t info;

	(void)state;
	orphans_note(&orphans);
	assert_false(orphans_kill(&orphans));
	assert_true(lives(pid));
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	orphans_reap(&orphans);
	assert_false(is_there(pid));
}

/* Its number may come again, and be an orphan's. */
static void a_stranger_that_has_ended_is_none_any_more(void **state)
{
	pid_t pid = waiting(true, true), other = waiting(true, true);
	siginfo_t info;

	(void)state;
	orphans_note(&orphans);
	assert_int_equal(orphans.count, 2);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	orphans_reap(&orphans);
	assert_int_equal(orphans.count, 1);
	assert_int_equal(orphans.strangers[0], other);
	end(other);
}

static void many_that_have_ended_are_all_reaped_at_once(void **state)
{
	const int many = ORPHANS_MAX + 100;

	(void)state;
	for (int i = 0; i < many; i++) {
		pid_t pid = fork();
		siginfo_t info;

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(0);
		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	}
	orphans_reap(&orphans);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static bool is_data(void *data, pid_t pid)
{
	return pid == *(pid_t *)data;
}

static void what_somebody_else_waits_for_is_left_to_them(void **state)
{
	pid_t pid = waiting(true, true);
	siginfo_t info;

	(void)state;
	orphans.kept = is_data;
	orphans.data = &pid;
	assert_false(orphans_kill(&orphans));
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	orphans_reap(&orphans);
	assert_true(is_there(pid));
	end(pid);
}

static bool is_of_data(void *data, pid_t pid, pid_t session)
{
	return pid == *(pid_t *)data && session == pid;
}

static void what_is_in_the_session_of_a_living_worker_is_its_own(void **state)
{
	pid_t pid = waiting(true, true);

	(void)state;
	orphans.owned = is_of_data;
	orphans.data = &pid;
	assert_false(orphans_kill(&orphans));
	assert_true(lives(pid));
	orphans.owned = NULL;
	orphans_end(&orphans, 0);
	assert_false(is_there(pid));
}

/* They get the time to end by themselves. */
static void who_ends_in_time_is_not_killed(void **state)
{
	int ends[2], status = -1;
	pid_t pid;
	char byte = 0;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		setsid();
		close(ends[0]);
		(void)!write(ends[1], "a", 1);
		sys_sleep(20);
		_exit(write(ends[1], "z", 1) == 1 ? 0 : 1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	orphans_end(&orphans, 5000);
	assert_int_equal(waitpid(pid, &status, WNOHANG), -1); /* reaped */
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'z');
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(an_orphan_is_killed_and_reaped, begin),
	    cmocka_unit_test_setup(what_is_in_our_own_session_is_left_alone, begin),
	    cmocka_unit_test_setup(a_child_from_before_is_a_stranger_that_is_only_reaped, begin),
	    cmocka_unit_test_setup(a_stranger_that_has_ended_is_none_any_more, begin),
	    cmocka_unit_test_setup(many_that_have_ended_are_all_reaped_at_once, begin),
	    cmocka_unit_test_setup(what_somebody_else_waits_for_is_left_to_them, begin),
	    cmocka_unit_test_setup(what_is_in_the_session_of_a_living_worker_is_its_own, begin),
	    cmocka_unit_test_setup(who_ends_in_time_is_not_killed, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
