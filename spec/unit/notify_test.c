#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "host/notify.h"

/* A service manager: a real datagram socket with a name, as NOTIFY_SOCKET is. */
struct manager {
	char path[64];
	int fd;
	struct daemon daemon;
};

static int setup(void **state)
{
	static struct manager manager;
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(manager.path, sizeof manager.path, "/tmp/notify-test-%ld", (long)getpid());
	snprintf(address.sun_path, sizeof address.sun_path, "%s", manager.path);
	manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	manager.daemon.notify_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	manager.daemon.notify_fd = -1;
	*state = &manager;
	return bind(manager.fd, (struct sockaddr *)&address, sizeof address) |
	       connect(manager.daemon.notify_socket, (struct sockaddr *)&address, sizeof address);
}

static int teardown(void **state)
{
	struct manager *manager = *state;

	close(manager->fd);
	close(manager->daemon.notify_socket);
	return unlink(manager->path);
}

static void assert_told(struct manager *manager, const char *text)
{
	char bytes[1024];
	ssize_t n = recv(manager->fd, bytes, sizeof bytes - 1, 0);

	assert_true(n >= 0);
	bytes[n] = 0;
	assert_string_equal(bytes, text);
}

static void test_readiness_and_the_pid_come_in_one_message(void **state)
{
	struct manager *manager = *state;

	notify_ready(&manager->daemon, 4711);
	assert_told(manager, "MAINPID=4711\nREADY=1");
	notify_ready(&manager->daemon, 0);
	assert_told(manager, "READY=1");
}

static void test_reloading_tells_the_monotonic_time(void **state)
{
	struct manager *manager = *state;
	char bytes[128] = "";
	uint64_t told = 0;
	struct timespec now;

	notify_reloading(&manager->daemon);
	assert_true(recv(manager->fd, bytes, sizeof bytes - 1, 0) > 0);
	assert_int_equal(sscanf(bytes, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &told), 1);
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(told <= (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	assert_true(told + 60000000 > (uint64_t)now.tv_sec * 1000000);
	notify_reloaded(&manager->daemon);
	assert_told(manager, "READY=1");
}

static void test_a_status_cannot_smuggle_an_assignment(void **state)
{
	struct manager *manager = *state;

	notify_status(&manager->daemon, "busy\nMAINPID=1");
	assert_told(manager, "STATUS=busy MAINPID=1");
}

static void test_stopping_and_watchdog_are_told(void **state)
{
	struct manager *manager = *state;

	notify_stopping(&manager->daemon);
	assert_told(manager, "STOPPING=1");
	notify_watchdog(&manager->daemon);
	assert_told(manager, "WATCHDOG=1");
}

static void test_s6_gets_a_newline_and_the_end(void **state)
{
	struct manager *manager = *state;
	int ends[2];
	char byte[2];

	assert_int_equal(pipe(ends), 0);
	manager->daemon.notify_fd = ends[1];
	notify_ready(&manager->daemon, 0);
	assert_int_equal(manager->daemon.notify_fd, -1);
	assert_int_equal(read(ends[0], byte, 2), 1);
	assert_int_equal(byte[0], '\n');
	assert_int_equal(read(ends[0], byte, 1), 0);
	close(ends[0]);
	assert_told(manager, "READY=1");
}

static void test_a_manager_that_is_gone_is_nobodys_error(void **state)
{
	struct manager *manager = *state;
	struct daemon nobody = {.notify_socket = -1, .notify_fd = -1};
	int ends[2];

	notify_ready(&nobody, 0);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	manager->daemon.notify_fd = ends[1];
	shutdown(manager->fd, SHUT_RDWR);
	notify_ready(&manager->daemon, 0);
	assert_int_equal(manager->daemon.notify_fd, -1);
}

static void test_a_manager_that_does_not_read_blocks_nobody(void **state)
{
	struct manager *manager = *state;

	for (int i = 0; i < 5000; i++)
		notify_watchdog(&manager->daemon);
	assert_told(manager, "WATCHDOG=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_readiness_and_the_pid_come_in_one_message, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_reloading_tells_the_monotonic_time, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_a_status_cannot_smuggle_an_assignment, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_stopping_and_watchdog_are_told, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_s6_gets_a_newline_and_the_end, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_a_manager_that_is_gone_is_nobodys_error, setup,
					    teardown),
	    cmocka_unit_test_setup_teardown(test_a_manager_that_does_not_read_blocks_nobody, setup,
					    teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
