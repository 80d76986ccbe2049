#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "sample.h"
#include "sys_fake.h"

/* What `plan` prints, compared with the golden files spec/plan/NAME. UPDATE_GOLDEN=1 in the
 * environment writes them anew:  UPDATE_GOLDEN=1 ctest --test-dir build -R plan_print */

enum { ALL = LAUNCH | MONITOR | WORKER };

static struct sample sample;

static char *print(bool json)
{
	struct plan plan;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	plan_make(&plan, &sample.daemon, ALL);
	plan_print(&plan, &sample.daemon, json, out);
	fclose(out);
	return text;
}

static void write_golden(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void compare(const char *name, bool json)
{
	char path[512], golden[16384] = "";
	char *text = print(json);
	FILE *file;

	snprintf(path, sizeof path, LUVD_SOURCE_DIR "/spec/plan/%s", name);
	if (getenv("UPDATE_GOLDEN"))
		write_golden(path, text);
	file = fopen(path, "r");
	assert_non_null(file);
	golden[fread(golden, 1, sizeof golden - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, golden);
	free(text);
	sample_finish(&sample);
}

static void hello_of_an_ordinary_user(void **state)
{
	(void)state;
	fake_reset(false);
	sample_hello(&sample, false);
	compare("hello-user.txt", false);
}

static void hello_of_root(void **state)
{
	(void)state;
	fake_reset(true);
	sample_hello(&sample, true);
	compare("hello-root.txt", false);
}

static void a_jail_with_all_that_root_can_ask_for(void **state)
{
	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	compare("cell.txt", false);
}

static void a_jail_as_json(void **state)
{
	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	compare("cell.json", true);
}

static void a_chroot_under_a_service_manager(void **state)
{
	struct machine *machine = &sample.daemon.machine;
	static int cpus[] = {0, 1};

	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	sample.spec.chroot_auto = false;
	sample.spec.chroot = (char *)"/srv/jail";
	sample.spec.chdir = (char *)"/data";
	sample.spec.oom_given = true;
	sample.spec.oom_score = 200;
	sample.spec.cpus = cpus;
	sample.spec.cpu_count = 2;
	sample.spec.ioprio_class = 2;
	sample.spec.ioprio_level = 6;
	sample.spec.log.to = SINK_JOURNAL;
	sample.daemon.background = false;
	snprintf(machine->notify_socket, sizeof machine->notify_socket, "/run/systemd/notify");
	machine->notify_fd = 9;
	machine->inherited_count = 1;
	machine->inherited[0] = (struct inherited){3, "web", "tcp://0.0.0.0:80"};
	compare("managed.txt", false);
}

static void a_jail_with_a_monitor_and_three_workers(void **state)
{
	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	sample.spec.workers = 3;
	sample.listens[0].reuseport = true;
	compare("crew.txt", false);
}

static void nothing_depends_on_who_runs_it_but_the_machine(void **state)
{
	char *first, *second;

	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	first = print(false);
	fake.pid = 4242;
	sample.daemon.pid = 4242;
	second = print(false);
	assert_string_equal(first, second);
	free(first);
	free(second);
	sample_finish(&sample);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hello_of_an_ordinary_user),
	    cmocka_unit_test(hello_of_root),
	    cmocka_unit_test(a_jail_with_all_that_root_can_ask_for),
	    cmocka_unit_test(a_jail_as_json),
	    cmocka_unit_test(a_chroot_under_a_service_manager),
	    cmocka_unit_test(a_jail_with_a_monitor_and_three_workers),
	    cmocka_unit_test(nothing_depends_on_who_runs_it_but_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
