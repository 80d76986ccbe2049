#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "in_valgrind.h"
#include "scratch.h"
#include "sys/sys.h"

/* The door to the kernel itself. What changes the process for good is done in a child, which ends
 * with the line that did not hold. */

#define HOLDS(what)                                                                                \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(__LINE__ % 255 + 1);                                                 \
	} while (0)

static void in_child(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("status %x: line %d or 255 more", (unsigned)status,
			 WEXITSTATUS(status) - 1);
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("needs root\n");
		skip();
	}
}

static void stdio_body(void)
{
	close(0);
	close(2);
	HOLDS(sys_fill_stdio() == 0);
	HOLDS(sys_is_open(0) && sys_is_open(2));
	HOLDS(write(2, "x", 1) == 1);
}

static void closed_standard_descriptors_are_filled(void **state)
{
	(void)state;
	in_child(stdio_body);
}

static void close_body(void)
{
	const int keep[] = {40, 42};

	for (int fd = 39; fd <= 43; fd++)
		HOLDS(dup2(0, fd) == fd);
	HOLDS(dup2(0, 900) == 900);
	HOLDS(sys_close_others(keep, 2) == 0);
	HOLDS(sys_is_open(0) && sys_is_open(40) && sys_is_open(42));
	HOLDS(!sys_is_open(39) && !sys_is_open(41) && !sys_is_open(43) && !sys_is_open(900));
}

static void all_descriptors_but_those_kept_are_closed(void **state)
{
	(void)state;
	in_child(close_body);
}

static void a_sealed_memfd_can_only_be_read(void **state)
{
	int fd = sys_memfd_sealed("test", "bundle", 6);
	char text[8] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sys_read_from_start(fd, text, sizeof text), 6);
	assert_string_equal(text, "bundle");
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	sys_close(fd);
}

static void lock_body(void)
{
	int fd = sys_open(scratch_path("lock"), O_RDWR | O_CREAT, 0600);
	int other = sys_open(scratch_path("lock"), O_RDWR, 0);

	HOLDS(sys_lock_held(other) == 0);
	HOLDS(sys_lock(fd) == 0);
	HOLDS(sys_lock_held(other) == 1);
	HOLDS(sys_lock(other) == -1 && errno == EWOULDBLOCK);
	/* The child has the lock too, until the last of both is gone. */
	if (fork() == 0) {
		HOLDS(sys_lock_held(other) == 1);
		_exit(0);
	}
	wait(NULL);
	sys_close(fd);
	HOLDS(sys_lock(other) == 0);
}

static void a_lock_keeps_others_out_and_can_be_asked_for(void **state)
{
	(void)state;
	scratch_make();
	in_child(lock_body);
	scratch_remove();
}

static void signals_body(void)
{
	pid_t sender = 0;
	sigset_t all;
	struct sigaction now;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGTERM, SIG_IGN);
	HOLDS(sys_signals_reset() == 0);
	HOLDS(sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler == SIG_DFL);
	HOLDS(sys_signals_block() == 0);
	HOLDS(sys_signal_pending(&sender) == 0);
	kill(getpid(), SIGUSR1);
	HOLDS(sys_signal_pending(&sender) == 0);
	kill(getpid(), SIGTERM);
	HOLDS(sys_signal_pending(&sender) == SIGTERM && sender == getpid());
	HOLDS(sys_signal_pending(&sender) == 0);
}

static void a_waiting_signal_tells_its_sender(void **state)
{
	(void)state;
	in_child(signals_body);
}

static int run_shell(const char *script, int out)
{
	char shell[] = "sh", option[] = "-c", text[256];
	char *arguments[] = {shell, option, text, NULL};
	int self = open("/bin/sh", O_PATH | O_CLOEXEC), status;
	pid_t pid;

	snprintf(text, sizeof text, "%s", script);
	pid = sys_spawn_self(self, arguments, 0, out, 2);
	assert_true(pid > 0);
	assert_int_equal(sys_wait(pid, &status, 0), pid);
	close(self);
	return status;
}

static void a_pipe_can_be_given_more_room(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(sys_pipe(ends), 0);
	sys_pipe_size(ends[1], 256 * 1024);
	assert_int_equal(fcntl(ends[0], F_GETPIPE_SZ), 256 * 1024);
	sys_pipe_size(ends[1], INT_MAX); /* more than anybody may have */
	assert_int_equal(fcntl(ends[0], F_GETPIPE_SZ), 256 * 1024);
	sys_close(ends[0]);
	sys_close(ends[1]);
}

static void a_spawned_program_gets_three_descriptors_and_no_environment(void **state)
{
	int ends[2], extra = open("/dev/null", O_RDONLY); /* not close-on-exec */
	char text[64] = "";

	(void)state;
	assert_int_equal(sys_pipe(ends), 0);
	setenv("LUVD_TEST", "secret", 1);
	assert_int_equal(
	    run_shell("echo \"$LUVD_TEST:\"; ls -l /proc/self/fd/ | grep -c null; exit 7", ends[1]),
	    7 << 8);
	sys_close(ends[1]);
	assert_true(read(ends[0], text, sizeof text - 1) > 0);
	assert_true(strncmp(text, ":\n", 2) == 0);
	sys_close(ends[0]);
	close(extra);
	unsetenv("LUVD_TEST");
}

/* Runs the script with these descriptors in the places 0, 1, 2 ...; returns its exit code. */
static int run_worker(const char *script, const int *fds, size_t count)
{
	char shell[] = "sh", option[] = "-c", text[256];
	char *arguments[] = {shell, option, text, NULL};
	int self = open("/bin/sh", O_PATH | O_CLOEXEC), status;
	pid_t pid;

	snprintf(text, sizeof text, "%s", script);
	pid = sys_spawn_worker(self, arguments, fds, count, -1);
	assert_true(pid > 0);
	assert_int_equal(sys_wait(pid, &status, 0), pid);
	close(self);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int memory_of(const char *text)
{
	return sys_memfd_sealed("test", text, strlen(text));
}

static void spawn_body(void)
{
	int sources[5], fds[5], extra;

	/* From 3 on, so that each source is another's place. */
	HOLDS(sys_close_others(NULL, 0) == 0);
	for (int i = 0; i < 5; i++) {
		const char text[] = {(char)('a' + i), '\n', '\0'};

		sources[i] = memory_of(text);
		HOLDS(lseek(sources[i], 0, SEEK_SET) == 0);
	}
	extra = dup2(sources[0], 9); /* not close-on-exec */
	fds[0] = sources[4];
	fds[1] = 1;
	fds[2] = 2;
	fds[3] = sources[1];
	fds[4] = sources[0];
	HOLDS(extra == 9 && sources[0] == 3 && sources[1] == 4);
	HOLDS(run_worker("read x; read y <&3; read z <&4; test $x$y$z = eba || exit 1;"
			 "for fd in 5 6 7 8 9; do test -e /proc/$$/fd/$fd && exit 2; done; exit 7",
			 fds, 5) == 7);
	HOLDS(run_worker("test -z \"$HOME\" && exit 8", fds, 3) == 8);
}

static void a_worker_is_given_descriptors_whose_numbers_overlap(void **state)
{
	(void)state;
	setenv("HOME", "/root", 1);
	in_child(spawn_body);
}

static void a_worker_is_not_started_with_a_descriptor_that_is_not_open(void **state)
{
	const int fds[] = {0, 1, 2, 1000};

	(void)state;
	assert_int_equal(run_worker("exit 0", fds, 4), 126);
	assert_int_equal(sys_spawn_worker(1000, NULL, fds, 100000, -1), -1);
	assert_int_equal(errno, EINVAL);
}

/* A program in our place, with one descriptor kept and a signal that waits; its exit status. */
static int run_in_place(const char *path, char *const arguments[], bool signal)
{
	int status, program = open(path, O_RDONLY | O_CLOEXEC), kept = memory_of("kept\n");
	pid_t pid = fork();

	if (pid == 0) {
		HOLDS(lseek(kept, 0, SEEK_SET) == 0);
		HOLDS(dup2(kept, 7) == 7 && dup2(kept, 8) == 8);
		HOLDS(sys_close_on_exec(7) == 0 && sys_close_on_exec(8) == 0);
		HOLDS(sys_keep_on_exec(7) == 0);
		HOLDS(!signal || (sys_signals_block() == 0 && kill(getpid(), SIGTERM) == 0));
		HOLDS(sys_execute(kept, arguments) == -1); /* no program, and we are still here */
		sys_execute(program, arguments);
		HOLDS(false);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(program);
	close(kept);
	return status;
}

static void a_program_in_our_place_gets_what_was_kept(void **state)
{
	char shell[] = "sh", option[] = "-c",
	     script[] = "test -z \"$HOME\" && read x <&7 && test $x = kept &&"
			"test ! -e /proc/$$/fd/8 && exit 9";
	char *arguments[] = {shell, option, script, NULL};

	(void)state;
	setenv("HOME", "/root", 1);
	assert_int_equal(run_in_place("/bin/sh", arguments, false), 9 << 8);
}

static void and_the_signals_that_wait(void **state)
{
	char grep[] = "grep", quiet[] = "-q", pattern[] = "^ShdPnd:.*4000$",
	     file[] = "/proc/self/status";
	char *arguments[] = {grep, quiet, pattern, file, NULL};

	(void)state;
	if (in_valgrind())
		skip(); /* it keeps signals that wait to itself */
	assert_int_equal(run_in_place("/bin/grep", arguments, true), 0);
}

static void limit_body(void)
{
	struct rlimit limit;
	int ends[2];
	char byte;
	pid_t pid;

	HOLDS(sys_pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		HOLDS(read(ends[0], &byte, 1) == 0);
		HOLDS(sys_limit_get(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
		_exit(5);
	}
	HOLDS(sys_limit_child(pid, RLIMIT_CORE, 0) == 0);
	close(ends[1]);
	HOLDS(waitpid(pid, &ends[0], 0) == pid && ends[0] == 5 << 8);
	HOLDS(sys_limit_child(pid, RLIMIT_CORE, 0) == -1);
}

static void a_child_is_limited_from_outside(void **state)
{
	(void)state;
	in_child(limit_body);
}

static void our_own_executable_has_a_path(void **state)
{
	char path[4096];
	struct stat named, mapped;

	(void)state;
	if (in_valgrind())
		skip(); /* the program that runs is valgrind */
	assert_int_equal(sys_self_path(path, sizeof path), 0);
	assert_int_equal(stat(path, &named), 0);
	assert_int_equal(stat("/proc/self/exe", &mapped), 0);
	assert_int_equal(named.st_ino, mapped.st_ino);
	assert_int_equal(sys_self_path(path, 4), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

/* The child of a process that ends: writes a byte to the pipe when the signal has come. */
static void orphan(int fd, pid_t parent)
{
	pid_t sender;

	HOLDS(sys_signals_block() == 0);
	HOLDS(sys_parent_death_signal(SIGTERM) == 0);
	HOLDS(sys_parent() == parent);
	HOLDS(write(fd, "1", 1) == 1);
	for (int i = 0; i < 1000 && sys_signal_pending(&sender) != SIGTERM; i++)
		sys_sleep(5);
	HOLDS(sys_parent() != parent);
	HOLDS(write(fd, "2", 1) == 1);
}

static void the_end_of_the_parent_is_a_signal(void **state)
{
	int ends[2];
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(sys_pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		pid_t parent = getpid();

		if (fork() == 0) {
			orphan(ends[1], parent);
			_exit(0);
		}
		sys_close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 1 ? 0 : 1);
	}
	sys_close(ends[1]);
	assert_int_equal(sys_wait(pid, &(int){0}, 0), pid);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, '2');
	sys_close(ends[0]);
}

static bool is_child(pid_t pid)
{
	pid_t list[512];
	size_t count = sys_children(list, 512);

	for (size_t i = 0; i < count; i++)
		if (list[i] == pid)
			return true;
	return false;
}

static void a_process_has_a_name_until_it_has_ended(void **state)
{
	char name[64], byte = 0;
	int told[2], asked[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(told), 0);
	assert_int_equal(pipe(asked), 0);
	pid = fork();
	if (pid == 0) {
		(void)sys_name("odd) (name");
		_exit(write(told[1], "x", 1) != 1 || read(asked[0], &byte, 1) != 1);
	}
	assert_int_equal(read(told[0], &byte, 1), 1);
	assert_int_equal(sys_process_name(pid, name, sizeof name), 0);
	assert_string_equal(name, "odd) (name");
	assert_int_equal(sys_process_name(pid, name, 4), 0);
	assert_string_equal(name, "odd");
	assert_int_equal(write(asked[1], "x", 1), 1);
	for (int i = 0; i < 2; i++) {
		close(told[i]);
		close(asked[i]);
	}
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	assert_int_equal(sys_process_name(pid, name, sizeof name), -1);
	assert_int_equal(sys_wait(pid, &(int){0}, 0), pid);
	assert_int_equal(sys_process_name(pid, name, sizeof name), -1);
}

static bool is_descriptor(int fd)
{
	int list[512];
	size_t count = sys_descriptors(list, 512);

	for (size_t i = 0; i < count; i++)
		if (list[i] == fd)
			return true;
	return false;
}

static void descriptors_are_listed_with_what_is_behind_them(void **state)
{
	int list[2], fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char name[64];

	(void)state;
	assert_true(fd > 2);
	assert_true(is_descriptor(fd));
	assert_int_equal(sys_descriptors(list, 2), 2);
	assert_int_equal(sys_descriptor_name(fd, name, sizeof name), 0);
	assert_string_equal(name, "/dev/null");
	assert_int_equal(sys_descriptor_name(fd, name, 5), 0);
	assert_string_equal(name, "/dev");
	close(fd);
	assert_false(is_descriptor(fd));
	assert_int_equal(sys_descriptor_name(fd, name, sizeof name), -1);
}

static void children_are_listed_until_somebody_has_waited_for_them(void **state)
{
	pid_t list[2], pids[300];
	siginfo_t info;

	(void)state;
	for (int i = 0; i < 300; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(0);
		assert_true(pids[i] > 0);
	}
	assert_int_equal(waitid(P_PID, (id_t)pids[299], &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(sys_children(list, 2), 2);
	for (int i = 0; i < 300; i++) {
		assert_true(is_child(pids[i]));
		assert_int_equal(sys_session(pids[i]), getsid(0));
	}
	for (int i = 0; i < 300; i++)
		waitpid(pids[i], NULL, 0);
	assert_false(is_child(pids[0]) || is_child(pids[299]));
}

static void a_unix_socket_has_its_mode_from_the_beginning(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t before = umask(077);
	struct stat stat;
	int fd;

	(void)state;
	scratch_make();
	snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path("socket"));
	fd = sys_socket(AF_UNIX, SOCK_STREAM);
	assert_int_equal(sys_bind_file(fd, (struct sockaddr *)&address, sizeof address, 0666), 0);
	assert_int_equal(sys_stat_at(AT_FDCWD, address.sun_path, &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0666);
	assert_int_equal(umask(before), 077);
	sys_close(fd);
	scratch_remove();
}

static void discard_removes_only_the_very_file(void **state)
{
	struct stat stat;
	char path[256];

	(void)state;
	scratch_make();
	snprintf(path, sizeof path, "%s", scratch_path("file"));
	sys_close(sys_open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(sys_stat_at(AT_FDCWD, path, &stat), 0);
	sys_discard(path, stat.st_dev, stat.st_ino + 1);
	sys_discard(path, stat.st_dev, 0);
	assert_true(scratch_has("file"));
	sys_discard(path, stat.st_dev, stat.st_ino);
	assert_false(scratch_has("file"));
	scratch_remove();
}

static void a_process_is_named_by_pid_and_start(void **state)
{
	(void)state;
	assert_true(sys_started(getpid()) > 0);
	assert_int_equal(sys_started(getpid()), sys_started(getpid()));
	assert_int_equal(sys_started(INT32_MAX), 0);
}

static void environment_body(void)
{
	static char entry[] = "A=1";
	static char *fresh[] = {entry, NULL};
	char *old;

	setenv("SECRET", "value", 1);
	old = getenv("SECRET");
	sys_environment_wipe();
	HOLDS(old[0] == '\0' && old[4] == '\0');
	HOLDS(!getenv("SECRET") && sys_environment()[0] == NULL);
	sys_environment_set(fresh);
	HOLDS(strcmp(getenv("A"), "1") == 0);
	sys_environment_set(NULL);
	HOLDS(!getenv("A"));
}

static void the_old_environment_is_overwritten(void **state)
{
	(void)state;
	in_child(environment_body);
}

static void a_title_is_cut_to_the_memory_of_the_arguments(void **state)
{
	char memory[] = "luvd\0start\0x.lua";
	char *arguments[] = {memory, memory + 5, memory + 11, NULL};

	(void)state;
	sys_title(arguments, "luvd: a name that is far too long");
	assert_string_equal(memory, "luvd: a name tha");
	assert_string_equal(arguments[1], "");
	sys_title(arguments, "luvd: b");
	assert_string_equal(memory, "luvd: b");
}

static void drop_body(void)
{
	struct sys_capabilities capabilities;
	struct sys_ids ids;
	const gid_t groups[] = {100, 24};
	const uint64_t mask = UINT64_C(1) << CAPABILITY_NET_BIND_SERVICE;

	HOLDS(sys_bounding_set(mask) == 0);
	HOLDS(sys_keep_capabilities(true) == 0);
	HOLDS(sys_groups_set(groups, 2) == 0 && sys_gid_set(65534) == 0 && sys_uid_set(65534) == 0);
	HOLDS(sys_capabilities_set(mask) == 0);
	HOLDS(sys_capabilities(&capabilities) == 0);
	HOLDS(capabilities.effective == mask && capabilities.permitted == mask &&
	      capabilities.inheritable == mask && capabilities.ambient == mask &&
	      capabilities.bounding == mask);
	HOLDS(sys_ids(&ids) == 0 && ids.uid[2] == 65534 && ids.gid[2] == 65534);
	HOLDS(ids.group_count == 2);
	HOLDS(sys_regain_uid(0) == -1 && sys_regain_gid(0) == -1);
	HOLDS(sys_dumpable(false) == 0 && sys_is_dumpable() == 0);
	HOLDS(sys_has_no_new_privs() == 0 && sys_no_new_privs() == 0 &&
	      sys_has_no_new_privs() == 1);
}

static void a_drop_keeps_exactly_the_capabilities_asked_for(void **state)
{
	(void)state;
	need_root();
	in_child(drop_body);
}

static void regain_body(void)
{
	HOLDS(setresuid(65534, 65534, 0) == 0);
	HOLDS(sys_regain_uid(0) == 0);
}

static void a_saved_uid_is_found_to_be_a_way_back(void **state)
{
	(void)state;
	need_root();
	in_child(regain_body);
}

static void a_module_that_is_missing_is_told_in_words(void **state)
{
	(void)state;
	assert_non_null(strstr(sys_preload("/no/such/module.so"), "/no/such/module.so"));
}

static void a_limit_can_be_lowered_for_good(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(sys_limit_get(RLIMIT_CORE, &limit), 0);
	if (fork() == 0) {
		HOLDS(sys_limit_set(RLIMIT_CORE, 0) == 0);
		HOLDS(sys_limit_get(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0);
		_exit(0);
	}
	int status;

	wait(&status);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(closed_standard_descriptors_are_filled),
	    cmocka_unit_test(all_descriptors_but_those_kept_are_closed),
	    cmocka_unit_test(a_sealed_memfd_can_only_be_read),
	    cmocka_unit_test(a_lock_keeps_others_out_and_can_be_asked_for),
	    cmocka_unit_test(a_waiting_signal_tells_its_sender),
	    cmocka_unit_test(a_pipe_can_be_given_more_room),
	    cmocka_unit_test(a_spawned_program_gets_three_descriptors_and_no_environment),
	    cmocka_unit_test(a_program_in_our_place_gets_what_was_kept),
	    cmocka_unit_test(and_the_signals_that_wait),
	    cmocka_unit_test(a_child_is_limited_from_outside),
	    cmocka_unit_test(our_own_executable_has_a_path),
	    cmocka_unit_test(a_worker_is_given_descriptors_whose_numbers_overlap),
	    cmocka_unit_test(a_worker_is_not_started_with_a_descriptor_that_is_not_open),
	    cmocka_unit_test(the_end_of_the_parent_is_a_signal),
	    cmocka_unit_test(a_process_has_a_name_until_it_has_ended),
	    cmocka_unit_test(descriptors_are_listed_with_what_is_behind_them),
	    cmocka_unit_test(children_are_listed_until_somebody_has_waited_for_them),
	    cmocka_unit_test(a_unix_socket_has_its_mode_from_the_beginning),
	    cmocka_unit_test(discard_removes_only_the_very_file),
	    cmocka_unit_test(a_process_is_named_by_pid_and_start),
	    cmocka_unit_test(the_old_environment_is_overwritten),
	    cmocka_unit_test(a_title_is_cut_to_the_memory_of_the_arguments),
	    cmocka_unit_test(a_drop_keeps_exactly_the_capabilities_asked_for),
	    cmocka_unit_test(a_saved_uid_is_found_to_be_a_way_back),
	    cmocka_unit_test(a_module_that_is_missing_is_told_in_words),
	    cmocka_unit_test(a_limit_can_be_lowered_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
