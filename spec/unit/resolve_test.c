#include "spec_fixture.h"

#include <string.h>
#include <unistd.h>

#define SERVICE "service = { start = function() end }"

static struct spec *resolved(struct fixture *fixture, const char *text)
{
	struct spec *spec = fixture_right(fixture, text);
	char told[ERR_TEXT_MAX];

	if (spec_resolve(spec, true, &fixture->errs) < 0)
		fail_msg("%s", err_text(&fixture->errs.list[0], told, sizeof told));
	return spec;
}

static void refused(struct fixture *fixture, const char *text, const char *expected)
{
	struct spec *spec = fixture_right(fixture, text);
	char told[ERR_TEXT_MAX];

	assert_int_equal(spec_resolve(spec, true, &fixture->errs), -1);
	assert_string_equal(err_text(&fixture->errs.list[0], told, sizeof told), expected);
	assert_int_equal(fixture->errs.list[0].exit, EXIT_FAILED);
}

static void as(struct fixture *fixture, uid_t uid)
{
	fixture->source.uid = uid;
	fixture->source.owner = getuid();
}

static const char *variable(const struct spec *spec, const char *name)
{
	size_t length = strlen(name);

	for (char **entry = spec->environment; *entry; entry++)
		if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
			return *entry + length + 1;
	return NULL;
}

static void root_becomes_the_user_with_only_the_primary_group(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec;

	as(fixture, 0);
	spec = resolved(fixture, "return { " SERVICE ", user = 'nobody' }");
	assert_true(spec->drops);
	assert_int_equal(spec->uid, 65534);
	assert_int_equal(spec->gid, 65534);
	assert_int_equal(spec->gid_count, 0);
	assert_string_equal(spec->user_name, "nobody");
	assert_string_equal(variable(spec, "USER"), "nobody");
	assert_string_equal(variable(spec, "LOGNAME"), "nobody");
	assert_non_null(variable(spec, "SHELL"));
	assert_string_equal(variable(spec, "LANG"), "C.UTF-8");
	spec = resolved(fixture, "return { " SERVICE ", user = 'nobody', group = 'root',\n"
				 "groups = { 'tty', 4711 } }");
	assert_int_equal(spec->gid, 0);
	assert_int_equal(spec->gid_count, 2);
	assert_int_equal(spec->gids[1], 4711);
	spec = resolved(fixture, "return { " SERVICE ", user = 'root' }");
	assert_false(spec->drops);
}

static void a_number_without_an_entry_needs_a_group(void **state)
{
	struct fixture *fixture = *state;

	as(fixture, 0);
	refused(fixture, "return { " SERVICE ",\n user = 54321 }",
		"main.lua:2: user: user 54321 has no entry in the user database: give group, too");
	assert_int_equal(resolved(fixture, "return { " SERVICE ", user = 54321, group = 7 }")->gid,
			 7);
}

static void unknown_names_are_errors_with_their_line(void **state)
{
	struct fixture *fixture = *state;

	as(fixture, 0);
	refused(fixture, "return { " SERVICE ",\n user = 'nobodi' }",
		"main.lua:2: user: expected a user of this machine, got \"nobodi\"");
	refused(fixture, "return { " SERVICE ",\n user = 'nobody', groups = { 'ttyy' } }",
		"main.lua:2: groups.1: expected a group of this machine, got \"ttyy\"");
	refused(fixture,
		"return { " SERVICE ", user = 'root',\n"
		"listen = { a = { address = 'unix:s', owner = 'nobodi' } } }",
		"main.lua:2: listen.a.owner: expected a user of this machine, got \"nobodi\"");
}

static void a_sockets_owner_becomes_numbers(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec;

	as(fixture, 0);
	spec = resolved(fixture, "return { " SERVICE ", user = 'root', listen = {\n"
				 "a = { address = 'unix:a', owner = 'nobody' },\n"
				 "b = { address = 'unix:b', owner = 'nobody:tty' },\n"
				 "c = 'unix:c' } }");
	assert_int_equal(spec_listen(spec, "a")->uid, 65534);
	assert_int_equal(spec_listen(spec, "a")->gid, 65534);
	assert_int_equal(spec_listen(spec, "b")->gid, 5);
	assert_int_equal(spec_listen(spec, "c")->uid, (uid_t)-1);
}

static void roots_folders_are_the_systems(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec;

	as(fixture, 0);
	spec = resolved(fixture, "return { name = 'echo', user = 'root', " SERVICE " }");
	assert_string_equal(spec->home_folder, "/run/luvd/echo");
	assert_string_equal(spec->control, "/run/luvd/echo/control");
	assert_string_equal(spec->pidfile, "/run/echo.pid");
	assert_string_equal(spec->log.path, "/var/log/echo.log");
	assert_string_equal(spec->folders[DIRECTORY_RUNTIME].path, "/run/echo");
	assert_string_equal(spec->folders[DIRECTORY_STATE].path, "/var/lib/echo");
	assert_string_equal(spec->folders[DIRECTORY_CACHE].path, "/var/cache/echo");
	assert_string_equal(spec->folders[DIRECTORY_LOGS].path, "/var/log/echo");
}

static void others_have_their_own(void **state)
{
	static char *environment[] = {"HOME=/home/ann", "XDG_RUNTIME_DIR=/run/user/4711", NULL};
	struct fixture *fixture = *state;
	struct spec *spec;

	spec = resolved(fixture, "return { name = 'echo', group = 4711, " SERVICE " }");
	assert_string_equal(spec->home_folder, "/tmp/luvd-4711/echo");
	assert_null(spec->pidfile);
	fixture->source.environment = environment;
	spec = resolved(fixture, "return { name = 'echo', group = 4711, " SERVICE " }");
	assert_string_equal(spec->home_folder, "/run/user/4711/luvd/echo");
	assert_string_equal(spec->pidfile, "/run/user/4711/echo.pid");
	assert_string_equal(spec->log.path, "/home/ann/.local/state/echo.log");
	assert_string_equal(spec->folders[DIRECTORY_RUNTIME].path, "/run/user/4711/echo");
	assert_string_equal(spec->folders[DIRECTORY_STATE].path, "/home/ann/.local/state/echo");
	assert_string_equal(spec->folders[DIRECTORY_LOGS].path, "/home/ann/.local/state/echo/log");
}

static void a_scratch_folder_holds_everything(void **state)
{
	static char folder[] = "/tmp/scratch";
	static char *sets[] = {"files.given.path=/given", NULL};
	struct fixture *fixture = *state;
	struct spec *spec;

	as(fixture, 0);
	fixture->source.scratch = folder;
	fixture->source.sets = sets;
	spec = resolved(fixture, "return { name = 'echo', log = 'syslog', " SERVICE ",\n"
				 "listen = { web = 'tcp://*:80', link = 'unix:/run/x' },\n"
				 "files = { read = { path = '/etc/hosts', mode = 'r' },\n"
				 "given = { path = '/other', mode = 'w' },\n"
				 "written = { path = '/var/x', mode = 'a' } } }");
	assert_string_equal(spec->home_folder, "/tmp/scratch/run/echo");
	assert_string_equal(spec->control, "/tmp/scratch/run/echo/control");
	assert_string_equal(spec->pidfile, "/tmp/scratch/pid");
	assert_string_equal(spec->folders[DIRECTORY_STATE].path, "/tmp/scratch/state");
	assert_int_equal(spec->log.to, SINK_STDERR);
	assert_true(spec->console);
	assert_string_equal(spec_listen(spec, "web")->addresses[0].text, "tcp://127.0.0.1:0");
	assert_string_equal(spec_listen(spec, "web")->addresses[1].text, "tcp://[::1]:0");
	assert_string_equal(spec_listen(spec, "link")->addresses[0].text,
			    "unix:/tmp/scratch/link.socket");
	for (size_t i = 0; i < spec->file_count; i++)
		assert_string_equal(spec->files[i].path, spec->files[i].mode == 'r' ? "/etc/hosts"
							 : spec->files[i].mode == 'w'
							     ? "/given"
							     : "/tmp/scratch/written.file");
}

static void others_cannot_have_what_only_root_gives(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec = fixture_right(fixture, "return { " SERVICE ",\n"
						   "user = 'root',\n"
						   "groups = { 'tty' },\n"
						   "chroot = 'auto',\n"
						   "directories = { runtime = true } }");

	assert_int_equal(spec_resolve(spec, true, &fixture->errs), -1);
	assert_int_equal(fixture->errs.count, 4);
	assert_string_equal(fixture->errs.list[0].where, "main.lua:2");
	assert_string_equal(fixture->errs.list[0].what,
			    "only root can become another user (\"root\")");
	assert_string_equal(fixture->errs.list[1].where, "main.lua:3");
	assert_string_equal(fixture->errs.list[2].where, "main.lua:4");
	assert_string_equal(fixture->errs.list[3].key, "directories.runtime");
}

static void the_environment_is_made_anew(void **state)
{
	static char *environment[] = {"HOME=/home/ann", "TZ=Europe/Zurich", "LD_PRELOAD=x",
				      "NOTIFY_SOCKET=/run/n", NULL};
	struct fixture *fixture = *state;
	struct spec *spec;

	as(fixture, 0);
	fixture->source.environment = environment;
	spec =
	    resolved(fixture, "return { user = 'nobody', " SERVICE ", environment = {\n"
			      "keep = { 'TZ', 'ABSENT' }, set = { LANG = 'de', X = '1\\n2' } } }");
	assert_string_equal(variable(spec, "TZ"), "Europe/Zurich");
	assert_string_equal(variable(spec, "LANG"), "de");
	assert_string_equal(variable(spec, "X"), "1\n2");
	assert_null(variable(spec, "ABSENT"));
	assert_null(variable(spec, "LD_PRELOAD"));
	assert_null(variable(spec, "NOTIFY_SOCKET"));
	assert_string_equal(variable(spec, "PATH"),
			    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

static void auto_is_one_worker_for_each_cpu(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		int cpus, workers;
	} cases[] = {{0, 1}, {1, 1}, {6, 6}, {5000, WORKERS_MAX}};

	as(fixture, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		fixture->source.cpus = cases[i].cpus;
		assert_int_equal(
		    resolved(fixture, "return { workers = 'auto', " SERVICE " }")->workers,
		    cases[i].workers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(root_becomes_the_user_with_only_the_primary_group),
	    TEST(a_number_without_an_entry_needs_a_group),
	    TEST(unknown_names_are_errors_with_their_line),
	    TEST(a_sockets_owner_becomes_numbers),
	    TEST(roots_folders_are_the_systems),
	    TEST(others_have_their_own),
	    TEST(a_scratch_folder_holds_everything),
	    TEST(others_cannot_have_what_only_root_gives),
	    TEST(the_environment_is_made_anew),
	    TEST(auto_is_one_worker_for_each_cpu),
	};

	return cmocka_run_group_tests_name("resolving on this machine", tests, NULL, NULL);
}
