#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"
#include "plan/plan.h"
#include "sample.h"
#include "sys_fake.h"

enum { ALL = LAUNCH | MONITOR | WORKER };

static struct sample sample;
static struct plan plan;
static struct err err;
static int warnings;
static struct err warned;

static void count_warning(struct daemon *daemon, const struct err *warning)
{
	(void)daemon;
	warnings++;
	warned = *warning;
}

static void jail(void)
{
	fake_reset(true);
	sample_jail(&sample, "");
	sample.daemon.warn = count_warning;
	warnings = 0;
	snprintf(sample.daemon.machine.notify_socket, sizeof sample.daemon.machine.notify_socket,
		 "/run/notify");
	plan_make(&plan, &sample.daemon, ALL);
}

static int finish(void **state)
{
	(void)state;
	fake.rooted = false;
	sample_finish(&sample);
	return 0;
}

static size_t index_of(const char *name)
{
	for (size_t i = 0; i < plan.count; i++)
		if (strcmp(plan.rows[i]->name, name) == 0)
			return i;
	return SIZE_MAX;
}

/* --- the table --- */

static void no_row_comes_after_what_it_needs_is_gone(void **state)
{
	uint64_t gone = 0;

	(void)state;
	jail();
	for (size_t i = 0; i < plan.count; i++) {
		const struct step *step = plan.rows[i];
		uint64_t needs = step->needs ? step->needs(&sample.spec) : 0;

		if (needs & gone)
			fail_msg("%s needs what is gone: %llx", step->name,
				 (unsigned long long)(needs & gone));
		if (step == &step_chroot)
			gone |= NEED_FILES;
		if (step == &step_identity)
			gone |= ~NEED_FILES;
	}
	assert_true(gone & NEED_FILES);
}

/* step_identity's own are what it gives up; those of the rows before detach are the launcher's. */
static void what_a_monitor_keeps_is_enough_for_the_rows_that_follow(void **state)
{
	struct sys_capabilities *have = &fake.capabilities;

	(void)state;
	jail();
	sample.spec.workers = 2;
	sample.spec.oom_given = true;
	sample.spec.oom_score = -500;
	sample.spec.nice = -5;
	plan_make(&plan, &sample.daemon, ALL);
	assert_int_equal(step_reduce.apply(&sample.daemon, &(struct err){0}), 0);
	for (size_t i = index_of("reduce"); i < plan.count; i++) {
		const struct step *step = plan.rows[i];
		uint64_t needs = step->needs ? step->needs(&sample.spec) & ~NEED_FILES : 0;

		if (needs & ~(have->effective & have->bounding))
			fail_msg("%s needs what the monitor has given up", step->name);
	}
	assert_int_equal(have->effective >> CAPABILITY_SYS_RESOURCE & 1, 1);
	assert_int_equal(have->effective >> CAPABILITY_SYS_NICE & 1, 1);
}

static void every_row_has_a_short_name_and_says_what_it_does(void **state)
{
	(void)state;
	jail();
	for (size_t i = 0; steps[i]; i++) {
		assert_in_range(strlen(steps[i]->name), 1, 15);
		assert_non_null(steps[i]->describe);
		assert_int_not_equal(steps[i]->roles & ALL, 0);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(steps[i]->name, steps[k]->name);
	}
}

static void the_order_is_that_of_the_design(void **state)
{
	static const char *const order[] = {
	    "stdio",  "context", "lock",   "pidfile",  "paths",   "listen", "files",   "log",
	    "bundle", "detach",  "output", "record",   "control", "notify", "process", "limits",
	    "warmup", "witness", "chroot", "identity", "confine", "audit",  "loop",    "ready"};

	(void)state;
	jail();
	assert_int_equal(plan.count, sizeof order / sizeof *order);
	for (size_t i = 0; i < plan.count; i++)
		assert_string_equal(plan.rows[i]->name, order[i]);
}

static void with_workers_there_are_the_rows_that_make_two_of_one(void **state)
{
	(void)state;
	jail();
	assert_int_equal(index_of("reduce"), SIZE_MAX);
	assert_int_equal(index_of("inherit"), SIZE_MAX);
	sample.spec.workers = 1;
	plan_make(&plan, &sample.daemon, ALL);
	assert_int_equal(index_of("reduce"), index_of("notify") + 1);
	assert_int_equal(index_of("inherit"), index_of("reduce") + 1);
	plan_make(&plan, &sample.daemon, LAUNCH | MONITOR);
	assert_int_equal(index_of("inherit"), SIZE_MAX);
	assert_string_equal(plan.rows[plan.count - 1]->name, "process");
}

static void run_does_not_detach(void **state)
{
	(void)state;
	fake_reset(false);
	sample_hello(&sample, false);
	plan_make(&plan, &sample.daemon, ALL);
	assert_int_equal(index_of("detach"), SIZE_MAX);
	assert_int_equal(index_of("pidfile"), SIZE_MAX);
	assert_int_equal(index_of("chroot"), SIZE_MAX);
	assert_int_not_equal(index_of("identity"), SIZE_MAX);
}

static void a_role_sees_only_its_rows(void **state)
{
	(void)state;
	jail();
	plan_make(&plan, &sample.daemon, WORKER);
	assert_int_equal(index_of("lock"), SIZE_MAX);
	assert_int_equal(index_of("record"), SIZE_MAX);
	assert_int_equal(index_of("process"), 0);
	plan_make(&plan, &sample.daemon, LAUNCH);
	assert_string_equal(plan.rows[plan.count - 1]->name, "detach");
}

/* --- taking the rows --- */

static void the_whole_plan_calls_the_kernel_in_order(void **state)
{
	(void)state;
	jail();
	if (plan_apply(&plan, &sample.daemon, &err) != 0)
		fail_msg("%s: %s", err.step, err.what);
	assert_int_equal(warnings, 0);
	assert_true(fake_saw(
	    "fill_stdio", "close_others", "umask(077)", "lock(/run/luvd/jail/lock)",
	    "lock(/run/jail.pid)", "mkdir_at(/run/jail,", "mkdir_at(/var/lib/jail,", "socket(tcp)",
	    "bind(tcp)", "bind_file(/run/~ail.sock, 0666)",
	    "rename_at(/run/~ail.sock, /run/jail.sock)", "open_at(/var/log/series)",
	    "open_at(/var/log/jail.log)", "memfd_sealed", "subreaper", "fork", "setsid", "fork",
	    "dup_to(0)", "dup_to(1)", "dup_to(2)", "write_at_start(/run/jail.pid)",
	    "rename_at(/run/luvd/jail/record.new", "bind_file(/run/luvd/jail/~ontrol, 0666)",
	    "notify_socket(/run/notify)", "title(luvd: jail)", "umask(027)", "limit_set", "nice(5)",
	    "warm_time", "open_status", "chroot(.)", "chdir(/)", "bounding_set(400)",
	    "keep_capabilities(1)", "groups_set(1)", "gid_set(65534)", "uid_set(65534)",
	    "capabilities_set(400)", "keep_capabilities(0)", "regain_gid(0)", "regain_uid(0)",
	    "dumpable(0)", "no_new_privs", "read_from_start(/proc/self/status)", NULL));
}

static void an_ordinary_user_takes_the_rows_too(void **state)
{
	(void)state;
	fake_reset(false);
	sample_hello(&sample, false);
	plan_make(&plan, &sample.daemon, ALL);
	if (plan_apply(&plan, &sample.daemon, &err) != 0)
		fail_msg("%s: %s", err.step, err.what);
	assert_false(fake_saw("uid_set", NULL));
	assert_true(fake_saw("capabilities_set(0)", "no_new_privs", NULL));
}

static void root_without_a_user_leaves_the_groups_of_the_launcher(void **state)
{
	(void)state;
	fake_reset(true);
	sample_hello(&sample, true);
	plan_make(&plan, &sample.daemon, ALL);
	if (plan_apply(&plan, &sample.daemon, &err) != 0)
		fail_msg("%s: %s", err.step, err.what);
	assert_int_equal(fake.ids.group_count, 0);
	assert_false(fake_saw("capabilities_set", NULL));
}

static void main_has_taken_the_first_two_rows(void **state)
{
	(void)state;
	jail();
	sample.daemon.context_taken = true;
	fake.blocked = true;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), 0);
	assert_false(fake_saw("fill_stdio", NULL));
	assert_false(fake_saw("environment_wipe", NULL));
}

static void the_launcher_leaves_at_detach(void **state)
{
	(void)state;
	jail();
	fake.forks[0] = 4242;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), STEP_LEAVE);
	assert_int_equal(sample.daemon.pid, 0);
	assert_true(sample.daemon.channel_fd >= 0);
	assert_true(fake_saw("fork", "wait(4242)", NULL));
	assert_int_equal(plan.next, index_of("detach") + 1);
}

static void the_middle_process_ends_without_a_trace(void **state)
{
	jmp_buf end;

	(void)state;
	jail();
	fake.forks[1] = 4243;
	fake.on_exit = &end;
	if (setjmp(end) == 0) {
		plan_apply(&plan, &sample.daemon, &err);
		fail_msg("the middle process went on");
	}
	assert_true(fake_saw("setsid", "fork", "exit(0)", NULL));
}

static char announced[512];

static int announce(struct daemon *daemon, const struct step *step, struct err *error)
{
	size_t used = strlen(announced);

	(void)daemon;
	snprintf(announced + used, sizeof announced - used, "%s ", step->name);
	return strcmp(step->name, "limits") == 0 ? err_set(error, "the launcher is gone") : 0;
}

static void the_daemon_announces_its_steps_and_ends_when_nobody_listens(void **state)
{
	(void)state;
	jail();
	announced[0] = '\0';
	sample.daemon.announce = announce;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), -1);
	assert_string_equal(announced, "output record control notify process limits ");
	assert_string_equal(err.step, "limits");
	assert_false(fake_saw("limit_set", NULL));
}

static void a_signal_during_the_start_ends_it(void **state)
{
	char text[ERR_TEXT_MAX];

	(void)state;
	jail();
	fake.pending = SIGTERM;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), -1);
	assert_string_equal(err_text(&err, text, sizeof text),
			    "stdio: interrupted by SIGTERM from pid 4711");
}

/* --- refusing --- */

static void worker(void)
{
	fake_reset(true);
	fake_worker(2, 1);
	fake_add("/run/luvd", S_IFDIR | 0755);
	fake_add("/run/luvd/jail", S_IFDIR | 0711);
	sample_jail(&sample, "");
	sample_worker(&sample);
	sample.daemon.warn = count_warning;
	warnings = 0;
	plan_make(&plan, &sample.daemon, WORKER);
}

static int count_calls(void (*be)(void))
{
	int calls;

	be();
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), 0);
	calls = fake.calls;
	finish(NULL);
	return calls;
}

static void refuse(int call, void (*be)(void))
{
	char before[8192], after[8192], text[ERR_TEXT_MAX];
	enum mark mark;
	int result;

	be();
	fake_list(before, sizeof before);
	fake.refuse_at = call;
	fake.refuse_code = EIO;
	result = plan_apply(&plan, &sample.daemon, &err);
	mark = mark_of(fake.refused);
	err_text(&err, text, sizeof text);
	if (mark == MARK_NONE)
		fail_msg("%s has no mark in sys.h", fake.refused);
	if (mark != MARK_REQUIRED) {
		if (result != 0 || warnings != (mark == MARK_OPTIONAL))
			fail_msg("call %d, %s: result %d, %d warnings", call, fake.refused, result,
				 warnings);
		finish(NULL);
		return;
	}
	if (result != -1 || strcmp(err.step, plan.rows[plan.next - 1]->name) != 0)
		fail_msg("call %d, %s is required, but: %d, step '%s'", call, fake.refused, result,
			 err.step);
	if (!strstr(text, err_reason(EIO)))
		fail_msg("call %d, %s: no reason in '%s'", call, fake.refused, text);
	/* As the launcher does, whose root is the old one. */
	fake.rooted = false;
	snprintf(fake.folder, sizeof fake.folder, "/");
	plan_undo(&plan, &sample.daemon);
	fake_list(after, sizeof after);
	if (strcmp(fake.refused, "sys_lock") != 0 && strcmp(before, after) != 0 &&
	    !(strcmp(err.step, "lock") == 0 && strstr(after, "/run/luvd/jail/lock\n")))
		fail_msg("call %d, %s left something:\n%s", call, fake.refused, after);
	finish(NULL);
}

static void whichever_call_fails_the_step_is_named_and_nothing_is_left(void **state)
{
	int calls = count_calls(jail);

	(void)state;
	assert_true(calls > 150);
	for (int call = 0; call < calls; call++)
		refuse(call, jail);
	jail(); /* for the teardown */
}

static void the_same_holds_for_a_worker(void **state)
{
	int calls = count_calls(worker);

	(void)state;
	assert_true(calls > 50);
	for (int call = 0; call < calls; call++)
		refuse(call, worker);
	jail(); /* for the teardown */
}

static void a_worker_takes_the_rows_of_its_role(void **state)
{
	static const char *const order[] = {"inherit", "process", "limits",   "warmup",
					    "witness", "chroot",  "identity", "confine",
					    "audit",   "loop",    "ready"};

	(void)state;
	worker();
	assert_int_equal(plan.count, sizeof order / sizeof *order);
	for (size_t i = 0; i < plan.count; i++)
		assert_string_equal(plan.rows[i]->name, order[i]);
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), 0);
	assert_int_equal(warnings, 0);
	assert_true(fake_saw("setsid", "title(luvd: jail worker 2)", "chroot(.)", "uid_set(65534)",
			     "parent_death_signal(15)", "no_new_privs",
			     "read_from_start(/proc/self/status)", NULL));
}

static void to_a_worker_only_sigterm_means_its_end(void **state)
{
	(void)state;
	worker();
	fake.pending = SIGHUP;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), 0);
	finish(NULL);
	worker();
	fake.pending = SIGTERM;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), -1);
	assert_string_equal(err.what, "interrupted by SIGTERM from pid 4711");
}

static void undo_runs_backwards(void **state)
{
	size_t start;

	(void)state;
	jail();
	fake_refuse("is_dumpable", 1, EIO);
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), -1);
	assert_string_equal(err.step, "audit");
	fake.rooted = false;
	start = fake.used;
	plan_undo(&plan, &sample.daemon);
	memmove(fake.transcript, fake.transcript + start, fake.used - start + 1);
	assert_true(
	    fake_saw("discard_folder(/run/luvd/jail/root)", "discard(/run/luvd/jail/control)",
		     "discard(/run/luvd/jail/record)", "discard(/run/jail.sock)",
		     "discard(/var/log/jail)", "discard(/run/jail)", "discard(/run/jail.pid)",
		     "discard(/run/luvd/jail/lock)", "discard_folder(/run/luvd/jail)", NULL));
	fake.used = 0;
	plan_undo(&plan, &sample.daemon);
	assert_int_equal(fake.used, 0);
}

static void the_launcher_undoes_what_the_daemon_had_begun(void **state)
{
	char before[8192], after[8192];

	(void)state;
	jail();
	fake_list(before, sizeof before);
	fake.forks[0] = 4242;
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), STEP_LEAVE);
	/* What the daemon, killed in step chroot, had made. */
	fake_add("/run/luvd/jail/record", S_IFREG | 0644);
	fake_add("/run/luvd/jail/control", S_IFSOCK | 0666);
	fake_add("/run/luvd/jail/~ontrol", S_IFSOCK | 0666);
	fake_add("/run/luvd/jail/root", S_IFDIR | 0555);
	plan_begun(&plan, "chroot");
	plan_begun(&plan, "record"); /* another worker is not as far */
	plan_undo(&plan, &sample.daemon);
	fake_list(after, sizeof after);
	assert_string_equal(before, after);
}

static void a_log_that_has_been_written_to_survives_undo(void **state)
{
	(void)state;
	jail();
	fake_refuse("chroot", 1, EPERM);
	assert_int_equal(plan_apply(&plan, &sample.daemon, &err), -1);
	fake_node("/var/log/jail.log")->length = 10;
	plan_undo(&plan, &sample.daemon);
	assert_non_null(fake_node("/var/log/jail.log"));
	assert_null(fake_node("/var/log/series"));
}

static int total, unmarked;

static void count(const char *name, enum mark mark)
{
	(void)name;
	total++;
	unmarked += mark == MARK_NONE;
}

static void every_call_of_sys_h_has_a_mark(void **state)
{
	(void)state;
	total = unmarked = 0;
	mark_each(count);
	assert_true(total > 80);
	assert_int_equal(unmarked, 0);
	assert_int_equal(mark_of("sys_name"), MARK_OPTIONAL);
	assert_int_equal(mark_of("sys_chroot"), MARK_REQUIRED);
	assert_int_equal(mark_of("sys_close"), MARK_IGNORED);
	jail(); /* for the teardown */
}

/* --- checking --- */

static void check_says(const char *expected)
{
	struct errs errs = {0};
	char all[4096] = "", text[ERR_TEXT_MAX];

	plan_make(&plan, &sample.daemon, ALL);
	plan_check(&plan, &sample.daemon, &errs);
	for (size_t i = 0; i < errs.count; i++) {
		strncat(all, err_text(&errs.list[i], text, sizeof text),
			sizeof all - strlen(all) - 2);
		strcat(all, "\n");
		assert_int_equal(errs.list[i].exit, EXIT_FAILED);
	}
	errs_finish(&errs);
	assert_string_equal(all, expected);
}

static void root_may_do_all_of_it(void **state)
{
	(void)state;
	jail();
	check_says("");
}

static void an_ordinary_user_is_told_all_that_is_missing(void **state)
{
	(void)state;
	jail();
	sample.daemon.machine.root = false;
	sample.daemon.machine.euid = 1000;
	sample.daemon.machine.capabilities = 0;
	sample.limits[0].value = 50000;
	sample.daemon.machine.hard[RLIMIT_NOFILE] = 20000;
	check_says(
	    "jail.lua:1: directories: needs the capability chown, which uid 1000 does not have\n"
	    "jail.lua:1: directories: needs the capability fowner, which uid 1000 does not have\n"
	    "jail.lua:1: chroot: needs the capability sys_chroot, which uid 1000 does not have\n"
	    "jail.lua:1: user: needs the capability setgid, which uid 1000 does not have\n"
	    "jail.lua:1: user: needs the capability setuid, which uid 1000 does not have\n"
	    "jail.lua:1: capabilities: needs the capability net_bind_service, which uid 1000 does "
	    "not "
	    "have\n"
	    "jail.lua:1: listen.web: cannot bind tcp://0.0.0.0:80: ports below 1024 are root's: "
	    "permission denied\n"
	    "jail.lua:1: limits.nofile: cannot set 50000: at most 20000 is allowed: operation "
	    "not permitted\n");
}

static void a_reload_of_root_is_told_that_its_monitor_has_kept_less(void **state)
{
	struct errs errs = {0};

	(void)state;
	jail();
	sample.daemon.machine.capabilities &= ~(UINT64_C(1) << CAPABILITY_SYS_CHROOT);
	sample.daemon.role = WORKER;
	plan_make(&plan, &sample.daemon, WORKER);
	assert_int_equal(plan_check_rows(&plan, &sample.daemon, &errs), -1);
	assert_string_equal(errs.list[0].what,
			    "needs restart: the monitor has not kept the capability sys_chroot");
	errs_finish(&errs);
}

static void a_machine_may_open_low_ports_to_all(void **state)
{
	(void)state;
	fake_reset(false);
	sample_hello(&sample, false);
	sample_listen(&sample, "low", "127.0.0.1", 80);
	sample.daemon.machine.port_floor = 0;
	check_says("");
}

static void a_daemon_cannot_keep_the_terminal_as_its_log(void **state)
{
	(void)state;
	jail();
	sample.spec.log.to = SINK_STDERR;
	check_says(
	    "jail.lua:1: log: a daemon in the background cannot keep stderr, which is neither "
	    "the journal nor a file: whoever reads it would wait for ever\n");
	sample.daemon.machine.stderr_is_file = true;
	check_says("");
	sample.spec.log.to = SINK_STDOUT;
	sample.daemon.machine.stdout_is_journal = true;
	check_says("");
}

static void a_socket_that_no_entry_claims_is_named(void **state)
{
	(void)state;
	jail();
	sample.daemon.machine.inherited_count = 1;
	sample.daemon.machine.inherited[0] = (struct inherited){3, "other", "tcp://127.0.0.1:99"};
	check_says(
	    "jail.lua:1: listen: no entry claims descriptor 3 of the service manager ('other', "
	    "tcp://127.0.0.1:99)\n");
}

#define TEST(name) cmocka_unit_test_teardown(name, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_row_comes_after_what_it_needs_is_gone),
	    TEST(what_a_monitor_keeps_is_enough_for_the_rows_that_follow),
	    TEST(every_row_has_a_short_name_and_says_what_it_does),
	    TEST(the_order_is_that_of_the_design),
	    TEST(with_workers_there_are_the_rows_that_make_two_of_one),
	    TEST(run_does_not_detach),
	    TEST(a_role_sees_only_its_rows),
	    TEST(the_whole_plan_calls_the_kernel_in_order),
	    TEST(an_ordinary_user_takes_the_rows_too),
	    TEST(root_without_a_user_leaves_the_groups_of_the_launcher),
	    TEST(main_has_taken_the_first_two_rows),
	    TEST(the_launcher_leaves_at_detach),
	    TEST(the_middle_process_ends_without_a_trace),
	    TEST(the_daemon_announces_its_steps_and_ends_when_nobody_listens),
	    TEST(a_signal_during_the_start_ends_it),
	    TEST(whichever_call_fails_the_step_is_named_and_nothing_is_left),
	    TEST(the_same_holds_for_a_worker),
	    TEST(a_worker_takes_the_rows_of_its_role),
	    TEST(to_a_worker_only_sigterm_means_its_end),
	    TEST(undo_runs_backwards),
	    TEST(the_launcher_undoes_what_the_daemon_had_begun),
	    TEST(a_log_that_has_been_written_to_survives_undo),
	    TEST(every_call_of_sys_h_has_a_mark),
	    TEST(root_may_do_all_of_it),
	    TEST(an_ordinary_user_is_told_all_that_is_missing),
	    TEST(a_reload_of_root_is_told_that_its_monitor_has_kept_less),
	    TEST(a_machine_may_open_low_ports_to_all),
	    TEST(a_daemon_cannot_keep_the_terminal_as_its_log),
	    TEST(a_socket_that_no_entry_claims_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
