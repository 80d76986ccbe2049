#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/audit.h"
#include "plan/plan.h"
#include "sample.h"
#include "sys_fake.h"

/* Each step alone against the recording kernel: what it refuses, and in which words. */

static struct sample sample;
static struct err err;
static int warnings;
static char warning[ERR_TEXT_MAX];

static void note_warning(struct daemon *daemon, const struct err *about)
{
	(void)daemon;
	warnings++;
	err_text(about, warning, sizeof warning);
}

static int jail(void **state)
{
	(void)state;
	fake_reset(true);
	sample_jail(&sample, "");
	sample.daemon.warn = note_warning;
	warnings = 0;
	memset(&err, 0, sizeof err);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	sample_finish(&sample);
	return 0;
}

static void takes(const struct step *step)
{
	char text[ERR_TEXT_MAX];

	if (step->apply(&sample.daemon, &err) != 0)
		fail_msg("%s: %s", step->name, err_text(&err, text, sizeof text));
}

/* The words without the step's name, which plan_apply adds. */
static void refuses(const struct step *step, const char *words)
{
	char text[ERR_TEXT_MAX];

	assert_int_equal(step->apply(&sample.daemon, &err), -1);
	assert_string_equal(err_text(&err, text, sizeof text), words);
}

static struct fake_node *put(const char *path, mode_t mode, const char *text)
{
	struct fake_node *node = fake_add(path, mode);

	snprintf(node->text, sizeof node->text, "%s", text);
	node->length = strlen(text);
	return node;
}

/* --- context --- */

static void set_environment(char **environment)
{
	fake.environment = environment;
}

static void context_refuses_to_run_set_uid(void **state)
{
	(void)state;
	fake.set_uid = true;
	refuses(&step_context, "luvd must not be installed set-uid, set-gid or with capabilities");
}

static void context_keeps_the_sockets_that_are_for_us(void **state)
{
	static char pid[] = "LISTEN_PID=100", fds[] = "LISTEN_FDS=2",
		    names[] = "LISTEN_FDNAMES=web:local";
	static char *environment[] = {pid, fds, names, NULL};

	(void)state;
	set_environment(environment);
	fake.fds[3].open = fake.fds[4].open = fake.fds[5].open = true;
	takes(&step_context);
	assert_true(fake.fds[3].open && fake.fds[4].open);
	assert_int_equal(sample.daemon.machine.inherited_count, 2);
	assert_string_equal(sample.daemon.machine.inherited[1].name, "local");
	assert_string_equal(sample.daemon.source.environment[1], "LISTEN_FDS=2");
	assert_true(fake_saw("environment_wipe", "close_others(2 kept)", "close_on_exec(3)",
			     "close_on_exec(4)", NULL));
}

static void context_closes_sockets_that_are_for_somebody_else(void **state)
{
	static char pid[] = "LISTEN_PID=99", fds[] = "LISTEN_FDS=2";
	static char *environment[] = {pid, fds, NULL};

	(void)state;
	set_environment(environment);
	fake.fds[3].open = fake.fds[4].open = true;
	takes(&step_context);
	assert_int_equal(sample.daemon.machine.inherited_count, 0);
	assert_true(fake_saw("close_others(0 kept)", NULL));
}

static void context_refuses_a_socket_that_is_not_open(void **state)
{
	static char pid[] = "LISTEN_PID=100", fds[] = "LISTEN_FDS=1";
	static char *environment[] = {pid, fds, NULL};

	(void)state;
	set_environment(environment);
	refuses(&step_context, "cannot take over descriptor 3: bad file descriptor");
}

static void context_bounds_the_number_of_sockets(void **state)
{
	static char pid[] = "LISTEN_PID=100", fds[] = "LISTEN_FDS=65";
	static char *environment[] = {pid, fds, NULL};

	(void)state;
	set_environment(environment);
	refuses(&step_context, "LISTEN_FDS: 65 descriptors are passed, at most 64 can be");
}

static void context_keeps_the_notify_descriptor(void **state)
{
	(void)state;
	fake.fds[9].open = true;
	sample.daemon.machine.notify_fd = 9;
	takes(&step_context);
	assert_int_equal(sample.daemon.notify_fd, 9);
	assert_true(fake_saw("close_others(1 kept)", "close_on_exec(9)", NULL));
}

/* --- inherit --- */

static void given(void)
{
	sample_worker(&sample);
	fake_worker(2, 1);
}

static void inherit_keeps_what_the_monitor_gives_and_nothing_else(void **state)
{
	(void)state;
	given();
	takes(&step_inherit);
	assert_true(fake_saw("setsid", "close_others(8 kept)", "close_on_exec(3)",
			     "close_on_exec(5)", "close_on_exec(6)", "close_on_exec(7)",
			     "close_on_exec(8)", "signals_reset", "signals_block", NULL));
	assert_true(fake.fds[8].open);
	assert_false(fake.fds[20].open);
	assert_string_equal(sample.daemon.listeners[0].actual, "tcp://127.0.0.1:8080");
	assert_string_equal(sample.daemon.listeners[1].actual, "unix:/run/jail.sock");
}

static void inherit_refuses_a_channel_of_another_kind(void **state)
{
	(void)state;
	given();
	fake.fds[3].type = SOCK_STREAM;
	refuses(&step_inherit, "the channel is of another kind");
}

static void inherit_refuses_a_log_that_is_no_pipe(void **state)
{
	(void)state;
	given();
	fake.fds[5].node = 0; /* a folder */
	refuses(&step_inherit, "the pipe to the log is none");
}

static void inherit_refuses_a_socket_that_does_not_listen(void **state)
{
	(void)state;
	given();
	fake.fds[7].listening = false;
	refuses(&step_inherit, "jail.lua:1: listen.local: descriptor 7 is no listening socket for "
			       "unix:/run/jail.sock");
}

static void inherit_refuses_a_file_that_is_not_open(void **state)
{
	(void)state;
	given();
	fake.fds[8].open = false;
	refuses(&step_inherit, "jail.lua:1: files.series: descriptor 8 is not open");
}

static void a_classic_daemon_inherits_nothing(void **state)
{
	(void)state;
	assert_false(step_inherit.wanted(&sample.daemon));
	sample.spec.workers = 1;
	assert_true(step_inherit.wanted(&sample.daemon));
}

/* --- process, chroot and confine in a worker --- */

static void become_monitor(void)
{
	strings_free(sample.daemon.environment);
	sample.daemon.environment = NULL;
	sample.daemon.role = MONITOR;
}

static void each_process_has_a_title_of_its_own(void **state)
{
	(void)state;
	given();
	takes(&step_process);
	assert_true(fake_saw("title(luvd: jail worker 2)", NULL));
	become_monitor();
	takes(&step_process);
	assert_true(fake_saw("title(luvd: jail monitor)", NULL));
}

static void the_monitor_of_a_jail_keeps_no_folder_busy(void **state)
{
	(void)state;
	given();
	takes(&step_process);
	assert_false(fake_saw("chdir", NULL));
	become_monitor();
	takes(&step_process);
	assert_true(fake_saw("chdir(/)", NULL));
}

static void workers_make_roots_of_their_own(void **state)
{
	(void)state;
	given();
	fake_add("/run/luvd", S_IFDIR | 0755);
	fake_add("/run/luvd/jail", S_IFDIR | 0711);
	takes(&step_chroot);
	assert_true(fake_saw("mkdir_at(/run/luvd/jail/root.5.2,", "chroot(.)", NULL));
}

static void a_worker_is_tied_to_its_monitor(void **state)
{
	(void)state;
	given();
	takes(&step_confine);
	assert_true(fake_saw("parent_death_signal(15)", "dumpable(0)", "no_new_privs", NULL));
	fake.parent = 1;
	refuses(&step_confine, "the monitor is gone");
}

static void a_classic_daemon_outlives_its_launcher(void **state)
{
	(void)state;
	takes(&step_confine);
	assert_false(fake_saw("parent_death_signal", NULL));
}

static void what_a_test_has_started_ends_with_its_parent(void **state)
{
	static char folder[] = "/tmp/scratch";
	struct signal_spec quit = {SIGQUIT, ACTION_RELOAD, NULL};

	(void)state;
	assert_false(step_tether.wanted(&sample.daemon));
	sample.spec.source.scratch = folder;
	assert_true(step_tether.wanted(&sample.daemon));
	sample.daemon.parent = fake.parent;
	takes(&step_tether);
	assert_true(fake_saw("parent_death_signal(3)", NULL));
	sample.spec.signals = &quit;
	sample.spec.signal_count = 1;
	takes(&step_tether);
	assert_true(fake_saw("parent_death_signal(9)", NULL));
	fake.parent = 1;
	refuses(&step_tether, "the parent process is gone");
	given();
	sample.spec.source.scratch = folder;
	assert_false(step_tether.wanted(&sample.daemon));
	sample.spec.source.scratch = NULL;
}

/* --- lock --- */

static void busy(void)
{
	fake_add("/run/luvd", S_IFDIR | 0755);
	fake_add("/run/luvd/jail", S_IFDIR | 0711);
	fake_add("/run/luvd/jail/lock", S_IFREG | 0600)->locked = true;
}

static void lock_tells_who_runs(void **state)
{
	(void)state;
	busy();
	put("/run/luvd/jail/record", S_IFREG | 0644,
	    "name jail\npath /jail.lua\npid 4711\nstarted 77\n");
	refuses(&step_lock, "jail: already running, pid 4711");
	assert_int_equal(err.exit, EXIT_RUNNING);
}

static void lock_waits_for_the_winners_pid_but_not_for_long(void **state)
{
	int slept = 0;

	(void)state;
	busy();
	put("/run/luvd/jail/record", S_IFREG | 0644, "name jail\npid 13\nstarted 77\n"); /* stale */
	refuses(&step_lock, "jail: already running");
	for (const char *at = fake.transcript; (at = strstr(at, "sleep(5)")); at++)
		slept += 5;
	assert_int_equal(slept, 100);
}

static void lock_refuses_a_strangers_folder(void **state)
{
	(void)state;
	fake_add("/run/luvd", S_IFDIR | 0755)->uid = 1000;
	refuses(&step_lock, "'/run/luvd' belongs to uid 1000, not to us: remove it");
}

static void lock_refuses_a_folder_that_lets_others_in(void **state)
{
	(void)state;
	fake_add("/run/luvd", S_IFDIR | 0777);
	refuses(&step_lock, "'/run/luvd' has mode 0777, which lets others in: remove it");
}

static void lock_follows_no_link_to_its_folder(void **state)
{
	(void)state;
	fake_add("/run/luvd", S_IFLNK | 0777);
	refuses(&step_lock, "cannot open the folder '/run/luvd': not a directory");
}

/* --- pidfile --- */

static void pidfile_refuses_a_link(void **state)
{
	(void)state;
	fake_add("/run/jail.pid", S_IFLNK | 0777);
	refuses(&step_pidfile,
		"jail.lua:1: pidfile: '/run/jail.pid' is a symbolic link: remove it");
}

static void pidfile_refuses_what_is_no_file(void **state)
{
	(void)state;
	fake_add("/run/jail.pid", S_IFIFO | 0600);
	refuses(&step_pidfile,
		"jail.lua:1: pidfile: '/run/jail.pid' is not a regular file: remove it");
}

static void pidfile_empties_garbage(void **state)
{
	struct fake_node *node = put("/run/jail.pid", S_IFREG | 0600, "garbage\1\2\n\n12");

	(void)state;
	takes(&step_pidfile);
	assert_int_equal(node->length, 0);
	assert_int_equal(node->mode & 07777, 0644);
	assert_int_equal(sample.daemon.pidfile_inode, node->inode);
}

static void pidfile_replaces_one_that_others_can_write(void **state)
{
	struct fake_node *node = put("/run/jail.pid", S_IFREG | 0666, "1");

	(void)state;
	takes(&step_pidfile);
	assert_false(node->linked);
	assert_int_not_equal(sample.daemon.pidfile_inode, node->inode);
}

static void pidfile_replaces_one_of_a_stranger(void **state)
{
	struct fake_node *node = put("/run/jail.pid", S_IFREG | 0644, "1");

	(void)state;
	node->uid = 1000;
	takes(&step_pidfile);
	assert_false(node->linked);
}

static void pidfile_of_another_program_that_runs_is_refused(void **state)
{
	(void)state;
	put("/run/jail.pid", S_IFREG | 0644, "4711\n")->locked = true;
	refuses(&step_pidfile, "jail.lua:1: pidfile: '/run/jail.pid' is locked by another program, "
			       "its pid is 4711");
}

static void pidfile_that_a_stranger_has_locked_does_not_stop_us(void **state)
{
	(void)state;
	put("/run/jail.pid", S_IFREG | 0644, "13\n")->locked = true;
	takes(&step_pidfile);
}

static void pidfile_makes_no_folder(void **state)
{
	(void)state;
	sample.spec.pidfile = (char *)"/run/none/jail.pid";
	refuses(&step_pidfile,
		"jail.lua:1: pidfile: cannot open the folder '/run/none': it does not "
		"exist: make it, or use directories.runtime");
	assert_null(fake_node("/run/none"));
}

static void pidfile_follows_a_link_only_where_root_alone_can_put_it(void **state)
{
	(void)state;
	sample.spec.pidfile = (char *)"/tmp/link/jail.pid";
	fake_node("/tmp")->mode = S_IFDIR | 0777;
	fake_add("/tmp/link", S_IFLNK | 0777)->uid = 1000;
	refuses(&step_pidfile, "jail.lua:1: pidfile: cannot open the folder '/tmp/link': "
			       "too many levels of symbolic links");
}

static void pidfile_that_cannot_be_written_fails_the_record(void **state)
{
	(void)state;
	takes(&step_pidfile);
	fake_refuse("write_at_start", 1, ENOSPC);
	refuses(&step_record,
		"jail.lua:1: pidfile: cannot write '/run/jail.pid': no space left on device");
}

static void undo_spares_a_pidfile_that_is_not_ours_any_more(void **state)
{
	(void)state;
	takes(&step_pidfile);
	fake_node("/run/jail.pid")->linked = false;
	fake_add("/run/jail.pid", S_IFREG | 0644);
	step_pidfile.undo(&sample.daemon);
	assert_non_null(fake_node("/run/jail.pid"));
}

/* --- paths --- */

static void paths_mends_what_is_there(void **state)
{
	struct fake_node *node = fake_add("/var/lib/jail", S_IFDIR | 0777);

	(void)state;
	takes(&step_paths);
	assert_int_equal(node->uid, 65534);
	assert_int_equal(node->mode & 07777, 0750);
	step_paths.undo(&sample.daemon);
	assert_non_null(fake_node("/var/lib/jail"));
	assert_null(fake_node("/var/cache/jail"));
}

static void paths_refuses_a_link(void **state)
{
	(void)state;
	fake_add("/var/lib/jail", S_IFLNK | 0777);
	refuses(&step_paths,
		"jail.lua:1: directories.state: cannot make the folder '/var/lib/jail': "
		"not a directory");
	assert_int_equal(fake_node("/var/lib/jail")->uid, 0);
}

static void paths_spares_a_folder_that_is_in_use(void **state)
{
	(void)state;
	takes(&step_paths);
	fake_add("/var/lib/jail/data", S_IFREG | 0600);
	step_paths.undo(&sample.daemon);
	assert_non_null(fake_node("/var/lib/jail"));
}

/* --- listen --- */

static void listen_shows_the_remedy_for_a_busy_port(void **state)
{
	(void)state;
	fake_refuse("bind", 1, EADDRINUSE);
	refuses(
	    &step_listen,
	    "jail.lua:1: listen.web: cannot bind tcp://0.0.0.0:80: address already in use; choose "
	    "another: --set listen.web=tcp://0.0.0.0:PORT");
}

static void listen_names_the_address_and_the_reason(void **state)
{
	(void)state;
	fake_refuse("bind", 1, EACCES);
	refuses(&step_listen,
		"jail.lua:1: listen.web: cannot bind tcp://0.0.0.0:80: permission denied");
}

static void listen_binds_a_socket_for_each_worker_with_reuseport(void **state)
{
	const struct listener *web;

	(void)state;
	sample.spec.workers = 3;
	sample.listens[0].reuseport = true;
	takes(&step_listen);
	web = &sample.daemon.listeners[0];
	assert_string_equal(web->listen->name, "web");
	assert_int_equal(web->other_count, 2);
	assert_int_not_equal(web->others[0], web->others[1]);
	assert_int_not_equal(web->others[0], web->fd);
}

static void listen_fails_when_a_later_worker_has_no_socket(void **state)
{
	(void)state;
	sample.spec.workers = 3;
	sample.listens[0].reuseport = true;
	/* The first is the one that asks whether the port is free. */
	fake_refuse("bind", 4, EACCES);
	refuses(&step_listen,
		"jail.lua:1: listen.web: cannot bind tcp://0.0.0.0:80: permission denied");
}

static void listen_replaces_a_socket_to_which_nobody_listens(void **state)
{
	struct fake_node *stale = fake_add("/run/jail.sock", S_IFSOCK | 0666);

	(void)state;
	takes(&step_listen);
	assert_false(stale->linked);
	assert_int_equal(sample.daemon.listeners[1].inode, fake_node("/run/jail.sock")->inode);
	assert_string_equal(sample.daemon.listeners[1].actual, "unix:/run/jail.sock");
	step_listen.undo(&sample.daemon);
	assert_null(fake_node("/run/jail.sock"));
}

static void listen_leaves_a_socket_to_somebody_who_listens(void **state)
{
	(void)state;
	fake_add("/run/jail.sock", S_IFSOCK | 0666)->listening = true;
	refuses(&step_listen, "jail.lua:1: listen.local: cannot bind unix:/run/jail.sock, where "
			      "somebody listens: address already in use");
	step_listen.undo(&sample.daemon);
	assert_non_null(fake_node("/run/jail.sock"));
}

static void listen_never_replaces_a_file(void **state)
{
	(void)state;
	fake_add("/run/jail.sock", S_IFREG | 0666);
	refuses(&step_listen, "jail.lua:1: listen.local: cannot bind unix:/run/jail.sock, where "
			      "something else than a socket is: file exists");
}

static void inherit(int fd, const char *name, const char *address)
{
	struct machine *machine = &sample.daemon.machine;
	struct inherited *inherited = &machine->inherited[machine->inherited_count++];

	inherited->fd = fd;
	snprintf(inherited->name, sizeof inherited->name, "%s", name);
	snprintf(inherited->address, sizeof inherited->address, "%s", address);
	fake.fds[fd].open = true;
	fake.fds[fd].node = -1;
	fake.fds[fd].type = SOCK_STREAM;
	fake.fds[fd].domain = AF_INET;
	fake.fds[fd].listening = true;
}

static void listen_takes_sockets_by_name_and_by_address(void **state)
{
	(void)state;
	inherit(3, "web", "tcp://127.0.0.1:8080");
	inherit(4, "", "unix:/run/jail.sock");
	takes(&step_listen);
	assert_int_equal(sample.daemon.listener_count, 2);
	assert_int_equal(sample.daemon.listeners[0].fd, 3);
	assert_int_equal(sample.daemon.listeners[1].fd, 4);
	assert_true(sample.daemon.listeners[1].inherited);
	assert_string_equal(sample.daemon.listeners[0].actual, "tcp://127.0.0.1:8080");
	assert_false(fake_saw("bind", NULL));
}

static void listen_binds_an_abstract_name_without_a_file(void **state)
{
	char before[8192], after[8192];

	(void)state;
	sample.addresses[1].kind = ADDRESS_ABSTRACT;
	fake_list(before, sizeof before);
	takes(&step_listen);
	fake_list(after, sizeof after);
	assert_string_equal(before, after);
	assert_int_equal(sample.daemon.listeners[1].inode, 0);
	assert_false(fake_saw("bind_file", NULL));
}

static void listen_refuses_a_socket_that_no_entry_claims(void **state)
{
	(void)state;
	inherit(3, "other", "tcp://127.0.0.1:99");
	refuses(&step_listen,
		"jail.lua:1: listen: no entry claims descriptor 3 of the service manager "
		"('other', tcp://127.0.0.1:99)");
}

static void listen_refuses_a_socket_that_does_not_listen(void **state)
{
	(void)state;
	inherit(3, "web", "tcp://127.0.0.1:80");
	fake.fds[3].listening = false;
	refuses(&step_listen, "jail.lua:1: listen.web: descriptor 3 of the service manager "
			      "(tcp://127.0.0.1:80) is no listening stream socket");
}

/* One that the entry of udp claims by its name. */
static void inherit_datagrams(int type, int domain)
{
	sample.addresses[0].kind = ADDRESS_UDP;
	inherit(3, "web", "udp://127.0.0.1:53");
	fake.fds[3].type = type;
	fake.fds[3].domain = domain;
	fake.fds[3].listening = false;
}

static const char no_datagrams[] = "jail.lua:1: listen.web: descriptor 3 of the service manager "
				   "(udp://127.0.0.1:53) is no datagram socket of the internet";

static void listen_takes_datagram_sockets(void **state)
{
	(void)state;
	inherit_datagrams(SOCK_DGRAM, AF_INET);
	takes(&step_listen);
	assert_true(sample.daemon.listeners[0].inherited);
}

static void listen_refuses_a_stream_for_datagrams(void **state)
{
	(void)state;
	inherit_datagrams(SOCK_STREAM, AF_INET);
	refuses(&step_listen, no_datagrams);
}

static void listen_refuses_datagrams_of_a_unix_socket(void **state)
{
	(void)state;
	inherit_datagrams(SOCK_DGRAM, AF_UNIX);
	refuses(&step_listen, no_datagrams);
}

/* --- files, log --- */

static void files_refuses_a_link(void **state)
{
	(void)state;
	fake_add("/var/log/series", S_IFLNK | 0777);
	refuses(&step_files, "jail.lua:1: files.series: '/var/log/series' is a symbolic link");
}

static void files_refuses_a_fifo(void **state)
{
	(void)state;
	fake_add("/var/log/series", S_IFIFO | 0600);
	refuses(&step_files, "jail.lua:1: files.series: '/var/log/series' is not a regular file");
}

static void files_gives_a_new_file_to_the_user(void **state)
{
	(void)state;
	takes(&step_files);
	assert_int_equal(fake_node("/var/log/series")->uid, 65534);
	assert_int_equal(fake_node("/var/log/series")->mode & 07777, 0640);
}

static void files_leaves_an_old_file_as_it_is(void **state)
{
	struct fake_node *node = put("/var/log/series", S_IFREG | 0600, "old");

	(void)state;
	takes(&step_files);
	step_files.undo(&sample.daemon);
	assert_true(node->linked);
	assert_int_equal(node->uid, 0);
	assert_int_equal(node->length, 3);
}

static void files_empties_a_file_to_write(void **state)
{
	struct fake_node *node = put("/var/log/series", S_IFREG | 0600, "old");

	(void)state;
	sample.files[0].mode = 'w';
	takes(&step_files);
	assert_int_equal(node->length, 0);
}

static void files_does_not_make_a_file_to_read(void **state)
{
	(void)state;
	sample.files[0].mode = 'r';
	refuses(&step_files, "jail.lua:1: files.series: cannot open '/var/log/series': "
			     "no such file or directory");
}

static void log_belongs_to_root_in_a_folder_of_root(void **state)
{
	(void)state;
	takes(&step_log);
	assert_int_equal(fake_node("/var/log/jail.log")->uid, 0);
}

static void log_belongs_to_the_user_in_a_folder_of_the_user(void **state)
{
	(void)state;
	fake_node("/var/log")->uid = 65534;
	takes(&step_log);
	assert_int_equal(fake_node("/var/log/jail.log")->uid, 65534);
}

static void log_names_a_syslog_that_does_not_listen(void **state)
{
	(void)state;
	sample.spec.log.to = SINK_SYSLOG;
	fake_node("/dev/log")->listening = false;
	refuses(&step_log, "jail.lua:1: log: cannot connect to '/dev/log': connection refused");
}

static void log_keeps_a_copy_of_stderr(void **state)
{
	(void)state;
	sample.spec.log.to = SINK_STDERR;
	sample.daemon.machine.stderr_is_journal = true;
	takes(&step_log);
	assert_true(sample.daemon.sink.fd > 2);
	assert_true(sample.daemon.sink.journal);
}

/* --- control, notify, process, limits --- */

static void control_leaves_a_socket_to_somebody_who_listens(void **state)
{
	(void)state;
	busy();
	fake_add("/run/luvd/jail/control", S_IFSOCK | 0666)->listening = true;
	refuses(&step_control,
		"jail.lua:1: control: cannot bind unix:/run/luvd/jail/control, where "
		"somebody listens: address already in use");
	step_control.undo(&sample.daemon);
	assert_non_null(fake_node("/run/luvd/jail/control"));
}

static void notify_that_cannot_be_reached_is_a_warning(void **state)
{
	struct machine *machine = &sample.daemon.machine;

	(void)state;
	snprintf(machine->notify_socket, sizeof machine->notify_socket, "@manager");
	fake_refuse("notify_socket", 1, ECONNREFUSED);
	takes(&step_notify);
	assert_int_equal(warnings, 1);
	assert_string_equal(warning, "notify: cannot reach the service manager at '@manager': "
				     "connection refused");
	assert_true(fake_saw("notify_socket(manager)", NULL));
}

static void process_names_a_working_directory_that_is_missing(void **state)
{
	(void)state;
	sample.spec.chroot_auto = false;
	sample.spec.chdir = (char *)"/none";
	refuses(&step_process,
		"jail.lua:1: chdir: cannot move to '/none': no such file or directory");
}

static void process_names_an_oom_score_that_is_refused(void **state)
{
	(void)state;
	sample.spec.oom_given = true;
	sample.spec.oom_score = -500;
	fake_refuse("oom_score", 1, EACCES);
	refuses(&step_process,
		"jail.lua:1: priority.oom_score: cannot set -500: permission denied");
}

static void limits_name_asked_and_allowed(void **state)
{
	(void)state;
	sample.limits[0].value = 50000;
	refuses(&step_limits,
		"jail.lua:1: limits.nofile: cannot set 50000: at most 20000 is allowed: "
		"operation not permitted");
}

static void limits_leave_nproc_for_later(void **state)
{
	(void)state;
	takes(&step_limits);
	assert_int_equal(fake.limits[RLIMIT_NPROC], 20000);
	assert_int_equal(fake.limits[RLIMIT_NOFILE], 4096);
}

/* --- chroot, identity, audit --- */

static void chroot_auto_leaves_no_folder(void **state)
{
	(void)state;
	busy();
	fake_add("/run/luvd/jail/root", S_IFDIR | 0555); /* of a start that was killed */
	takes(&step_chroot);
	fake.rooted = false;
	assert_null(fake_node("/run/luvd/jail/root"));
}

static void chroot_names_a_root_that_is_missing(void **state)
{
	(void)state;
	sample.spec.chroot_auto = false;
	sample.spec.chroot = (char *)"/srv/none";
	fake_refuse("chroot", 1, ENOENT);
	refuses(&step_chroot,
		"jail.lua:1: chroot: cannot make '/srv/none' the root: no such file or directory");
}

/* --- reduce --- */

static uint64_t mask_of(const int *capabilities, size_t count)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < count; i++)
		mask |= NEED_CAPABILITY(capabilities[i]);
	return mask;
}

static void reduce_keeps_what_monitor_and_workers_need(void **state)
{
	static const int needed[] = {
	    CAPABILITY_CHOWN,      CAPABILITY_DAC_OVERRIDE, CAPABILITY_DAC_READ_SEARCH,
	    CAPABILITY_FOWNER,     CAPABILITY_KILL,         CAPABILITY_SETGID,
	    CAPABILITY_SETUID,     CAPABILITY_SETPCAP,      CAPABILITY_NET_BIND_SERVICE,
	    CAPABILITY_SYS_CHROOT, CAPABILITY_SYS_NICE};
	const struct sys_capabilities *have = &fake.capabilities;
	uint64_t mask = mask_of(needed, sizeof needed / sizeof *needed);

	(void)state;
	takes(&step_reduce);
	assert_int_equal(have->effective, mask);
	assert_int_equal(have->permitted, mask);
	assert_int_equal(have->bounding, mask);
	assert_int_equal(sample.daemon.machine.capabilities, mask);
	assert_int_equal(sample.daemon.machine.bounding, mask);
	assert_int_equal(fake.ids.group_count, 0);
}

static void reduce_keeps_nothing_that_nobody_needs(void **state)
{
	static const int needed[] = {CAPABILITY_DAC_READ_SEARCH, CAPABILITY_KILL, CAPABILITY_SETGID,
				     CAPABILITY_SETUID, CAPABILITY_SETPCAP};

	(void)state;
	sample.spec.log.to = SINK_SYSLOG;
	sample.spec.listen_count = 0;
	sample.spec.file_count = 0;
	sample.spec.capability_count = 0;
	sample.spec.chroot_auto = false;
	sample.spec.nice_given = false;
	takes(&step_reduce);
	assert_int_equal(fake.capabilities.effective,
			 mask_of(needed, sizeof needed / sizeof *needed));
}

/* A limit that is raised for workers takes it too. */
static void reduce_keeps_what_raises_a_limit(void **state)
{
	(void)state;
	sample.spec.limits[0].value = 30000;
	sample.daemon.machine.hard[RLIMIT_NOFILE] = 20000;
	takes(&step_reduce);
	assert_true(fake.capabilities.effective & NEED_CAPABILITY(CAPABILITY_SYS_RESOURCE));
}

static void reduce_keeps_all_for_workers_that_keep_all(void **state)
{
	uint64_t all = fake.capabilities.effective;

	(void)state;
	sample.spec.drops = false;
	sample.spec.uid = 0;
	sample.spec.capabilities_given = false;
	takes(&step_reduce);
	assert_int_equal(fake.capabilities.effective, all);
	assert_int_equal(fake.capabilities.bounding, all);
}

/* Root gets the bounding set back when it executes: workers will have what it could not empty. */
static void reduce_knows_what_workers_get_back(void **state)
{
	uint64_t all = fake.capabilities.bounding;

	(void)state;
	sample.daemon.machine.capabilities &= ~NEED_CAPABILITY(CAPABILITY_SETPCAP);
	takes(&step_reduce);
	assert_false(fake_saw("bounding_set", NULL));
	assert_int_equal(fake.capabilities.effective >> CAPABILITY_SETPCAP & 1, 0);
	assert_int_equal(sample.daemon.machine.capabilities, all);
}

static void reduce_of_an_ordinary_user_keeps_nothing(void **state)
{
	(void)state;
	sample_finish(&sample);
	fake_reset(false);
	sample_hello(&sample, false);
	sample.spec.workers = 1;
	takes(&step_reduce);
	assert_int_equal(fake.capabilities.effective, 0);
	assert_false(fake_saw("bounding_set", NULL));
	assert_int_equal(sample.daemon.machine.capabilities, 0);
}

static void reduce_names_what_the_kernel_refuses(void **state)
{
	(void)state;
	fake_refuse("bounding_set", 1, EPERM);
	refuses(&step_reduce,
		"cannot empty the bounding set of capabilities: operation not permitted");
}

static void identity_keeps_no_capabilities_unless_asked(void **state)
{
	(void)state;
	sample.spec.capability_count = 0;
	sample.spec.capabilities_given = false;
	takes(&step_identity);
	assert_int_equal(fake.capabilities.permitted, 0);
	assert_int_equal(fake.capabilities.bounding, 0);
	assert_false(fake_saw("keep_capabilities", NULL));
	assert_true(fake_saw("bounding_set(0)", "groups_set", "gid_set", "uid_set",
			     "capabilities_set(0)", "regain_gid(0)", "regain_uid(0)", NULL));
}

static void identity_does_not_believe_a_drop_that_can_be_undone(void **state)
{
	(void)state;
	fake.returnable = true;
	refuses(&step_identity, "uid 0 could be regained");
}

static void identity_warns_when_the_bounding_set_must_stay(void **state)
{
	(void)state;
	sample.daemon.machine.capabilities &= ~NEED_CAPABILITY(CAPABILITY_SETPCAP);
	takes(&step_identity);
	assert_int_equal(warnings, 1);
	assert_false(fake_saw("bounding_set", NULL));
}

static void capabilities_of_root_that_stays_root_are_exactly_those_given(void **state)
{
	(void)state;
	sample.spec.drops = false;
	sample.spec.uid = 0;
	sample.spec.gid = 0;
	takes(&step_identity);
	assert_int_equal(fake.capabilities.effective, NEED_CAPABILITY(CAPABILITY_NET_BIND_SERVICE));
	assert_int_equal(fake.ids.uid[0], 0);
}

/* Everything before audit, so that only what the test breaks is wrong. */
static void confined(void)
{
	sample.spec.chroot_auto = false;
	takes(&step_context);
	takes(&step_process);
	takes(&step_limits);
	takes(&step_witness);
	takes(&step_identity);
	takes(&step_confine);
}

static void audit_is_content_with_what_was_asked_for(void **state)
{
	(void)state;
	confined();
	takes(&step_audit);
	assert_true(sample.daemon.witness_fd >= 0); /* luvd status reads the memory in it later */
}

static char told[4096];

static void tell(void *data, const char *line, bool holds)
{
	size_t used = strlen(told);

	assert_null(data);
	snprintf(told + used, sizeof told - used, "%s%s\n", holds ? "" : "WRONG ", line);
}

static void assert_told(const char *line)
{
	if (!strstr(told, line))
		fail_msg("no '%s' in: %s", line, told);
}

/* By then it has threads, descriptors of the service's, and handlers. */
static void audit_is_told_anew_by_a_daemon_that_runs(void **state)
{
	(void)state;
	confined();
	takes(&step_audit);
	fake.threads = 6;
	fake.blocked = false;
	for (size_t i = 0; i < sample.spec.limit_count; i++) /* nproc comes with the loop */
		fake.limits[sample.limits[i].resource] = sample.limits[i].value;
	fake.fds[40].open = true;
	fake.fds[40].node = -1;
	told[0] = 0;
	assert_int_equal(audit_tell(&sample.daemon, tell, NULL), 0);
	assert_told("ids: uid 65534, gid 65534\n");
	assert_told("umask: 027\n");
	assert_told("no return: uid 0 cannot be had back\n");
	assert_null(strstr(told, "WRONG"));
	fake.umask = 0;
	fake.no_new_privs = false;
	told[0] = 0;
	assert_int_equal(audit_tell(&sample.daemon, tell, NULL), 2);
	assert_told("WRONG umask: Umask is 0, expected 27\n");
	assert_told("WRONG no_new_privs: NoNewPrivs is 0, expected 1\n");
	assert_told("ids: uid 65534, gid 65534\n"); /* one that is wrong hides no other */
}

static void audit_finds_a_second_thread(void **state)
{
	(void)state;
	confined();
	fake.threads = 2;
	refuses(&step_audit, "Threads is 2, expected 1");
}

static void audit_finds_a_wrong_uid(void **state)
{
	(void)state;
	confined();
	fake.ids.uid[2] = 0;
	refuses(&step_audit, "Uid is 0, expected 65534");
}

static void audit_finds_a_group_that_is_left(void **state)
{
	(void)state;
	confined();
	fake.ids.groups[0] = 24;
	refuses(&step_audit, "the supplementary group 24 is left");
}

static void audit_finds_a_capability(void **state)
{
	(void)state;
	confined();
	fake.capabilities.effective |= NEED_CAPABILITY(CAPABILITY_SETUID);
	refuses(&step_audit, "CapEff is 480, expected 400");
}

static void audit_finds_another_umask(void **state)
{
	(void)state;
	confined();
	fake.umask = 0;
	refuses(&step_audit, "Umask is 0, expected 27");
}

static void audit_finds_signals_that_are_not_held_back(void **state)
{
	(void)state;
	confined();
	fake.blocked = false;
	refuses(&step_audit, "SigBlk is 0, expected 4a07");
}

static void audit_finds_missing_no_new_privs(void **state)
{
	(void)state;
	confined();
	fake.no_new_privs = false;
	refuses(&step_audit, "NoNewPrivs is 0, expected 1");
}

static void audit_finds_a_descriptor_that_nobody_knows(void **state)
{
	(void)state;
	confined();
	fake.fds[40].open = true;
	fake.fds[40].node = -1;
	refuses(&step_audit, "descriptor 40 is open, and nobody knows why");
}

static void audit_finds_a_limit_that_is_not_set(void **state)
{
	(void)state;
	confined();
	fake.limits[RLIMIT_NOFILE] = 20000;
	refuses(&step_audit, "the limit nofile is 20000, expected 4096");
}

static void audit_finds_a_root_that_is_still_the_old_one(void **state)
{
	(void)state;
	confined();
	sample.spec.chroot = (char *)"/srv/jail";
	refuses(&step_audit, "the root is still the old one");
}

static void audit_finds_a_way_back(void **state)
{
	(void)state;
	confined();
	fake.returnable = true;
	refuses(&step_audit, "uid 0 could be regained");
}

static void audit_finds_secrets_that_can_be_read(void **state)
{
	struct fake_node *secret;

	(void)state;
	confined();
	secret = fake_add("/../../etc/shadow", S_IFREG | 0640);
	secret->uid = secret->gid = 0;
	refuses(&step_audit, "'/../../etc/shadow' could be opened");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, jail, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(context_refuses_to_run_set_uid),
	    TEST(context_keeps_the_sockets_that_are_for_us),
	    TEST(context_closes_sockets_that_are_for_somebody_else),
	    TEST(context_refuses_a_socket_that_is_not_open),
	    TEST(context_bounds_the_number_of_sockets),
	    TEST(context_keeps_the_notify_descriptor),
	    TEST(lock_tells_who_runs),
	    TEST(lock_waits_for_the_winners_pid_but_not_for_long),
	    TEST(lock_refuses_a_strangers_folder),
	    TEST(lock_refuses_a_folder_that_lets_others_in),
	    TEST(lock_follows_no_link_to_its_folder),
	    TEST(pidfile_refuses_a_link),
	    TEST(pidfile_refuses_what_is_no_file),
	    TEST(pidfile_empties_garbage),
	    TEST(pidfile_replaces_one_that_others_can_write),
	    TEST(pidfile_replaces_one_of_a_stranger),
	    TEST(pidfile_of_another_program_that_runs_is_refused),
	    TEST(pidfile_that_a_stranger_has_locked_does_not_stop_us),
	    TEST(pidfile_makes_no_folder),
	    TEST(pidfile_follows_a_link_only_where_root_alone_can_put_it),
	    TEST(pidfile_that_cannot_be_written_fails_the_record),
	    TEST(undo_spares_a_pidfile_that_is_not_ours_any_more),
	    TEST(paths_mends_what_is_there),
	    TEST(paths_refuses_a_link),
	    TEST(paths_spares_a_folder_that_is_in_use),
	    TEST(listen_shows_the_remedy_for_a_busy_port),
	    TEST(listen_names_the_address_and_the_reason),
	    TEST(listen_binds_a_socket_for_each_worker_with_reuseport),
	    TEST(listen_fails_when_a_later_worker_has_no_socket),
	    TEST(listen_replaces_a_socket_to_which_nobody_listens),
	    TEST(listen_leaves_a_socket_to_somebody_who_listens),
	    TEST(listen_never_replaces_a_file),
	    TEST(listen_takes_sockets_by_name_and_by_address),
	    TEST(listen_binds_an_abstract_name_without_a_file),
	    TEST(listen_refuses_a_socket_that_no_entry_claims),
	    TEST(listen_refuses_a_socket_that_does_not_listen),
	    TEST(listen_takes_datagram_sockets),
	    TEST(listen_refuses_a_stream_for_datagrams),
	    TEST(listen_refuses_datagrams_of_a_unix_socket),
	    TEST(files_refuses_a_link),
	    TEST(files_refuses_a_fifo),
	    TEST(files_gives_a_new_file_to_the_user),
	    TEST(files_leaves_an_old_file_as_it_is),
	    TEST(files_empties_a_file_to_write),
	    TEST(files_does_not_make_a_file_to_read),
	    TEST(log_belongs_to_root_in_a_folder_of_root),
	    TEST(log_belongs_to_the_user_in_a_folder_of_the_user),
	    TEST(log_names_a_syslog_that_does_not_listen),
	    TEST(log_keeps_a_copy_of_stderr),
	    TEST(control_leaves_a_socket_to_somebody_who_listens),
	    TEST(notify_that_cannot_be_reached_is_a_warning),
	    TEST(process_names_a_working_directory_that_is_missing),
	    TEST(process_names_an_oom_score_that_is_refused),
	    TEST(limits_name_asked_and_allowed),
	    TEST(limits_leave_nproc_for_later),
	    TEST(chroot_auto_leaves_no_folder),
	    TEST(chroot_names_a_root_that_is_missing),
	    TEST(reduce_keeps_what_monitor_and_workers_need),
	    TEST(reduce_keeps_nothing_that_nobody_needs),
	    TEST(reduce_keeps_what_raises_a_limit),
	    TEST(reduce_keeps_all_for_workers_that_keep_all),
	    TEST(reduce_knows_what_workers_get_back),
	    TEST(reduce_of_an_ordinary_user_keeps_nothing),
	    TEST(reduce_names_what_the_kernel_refuses),
	    TEST(identity_keeps_no_capabilities_unless_asked),
	    TEST(identity_does_not_believe_a_drop_that_can_be_undone),
	    TEST(identity_warns_when_the_bounding_set_must_stay),
	    TEST(capabilities_of_root_that_stays_root_are_exactly_those_given),
	    TEST(inherit_keeps_what_the_monitor_gives_and_nothing_else),
	    TEST(inherit_refuses_a_channel_of_another_kind),
	    TEST(inherit_refuses_a_log_that_is_no_pipe),
	    TEST(inherit_refuses_a_socket_that_does_not_listen),
	    TEST(inherit_refuses_a_file_that_is_not_open),
	    TEST(a_classic_daemon_inherits_nothing),
	    TEST(each_process_has_a_title_of_its_own),
	    TEST(the_monitor_of_a_jail_keeps_no_folder_busy),
	    TEST(workers_make_roots_of_their_own),
	    TEST(a_worker_is_tied_to_its_monitor),
	    TEST(a_classic_daemon_outlives_its_launcher),
	    TEST(what_a_test_has_started_ends_with_its_parent),
	    TEST(audit_is_content_with_what_was_asked_for),
	    TEST(audit_is_told_anew_by_a_daemon_that_runs),
	    TEST(audit_finds_a_second_thread),
	    TEST(audit_finds_a_wrong_uid),
	    TEST(audit_finds_a_group_that_is_left),
	    TEST(audit_finds_a_capability),
	    TEST(audit_finds_another_umask),
	    TEST(audit_finds_signals_that_are_not_held_back),
	    TEST(audit_finds_missing_no_new_privs),
	    TEST(audit_finds_a_descriptor_that_nobody_knows),
	    TEST(audit_finds_a_limit_that_is_not_set),
	    TEST(audit_finds_a_root_that_is_still_the_old_one),
	    TEST(audit_finds_a_way_back),
	    TEST(audit_finds_secrets_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
