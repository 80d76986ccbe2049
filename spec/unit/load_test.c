#include "spec_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spec/load/load.h"

#define SERVICE "service = { start = function() end }"

static const struct value *config(struct fixture *fixture, const char *text, const char *path)
{
	return value_path(&fixture_right(fixture, text)->root, path);
}

static const char *string(struct fixture *fixture, const char *text, const char *path)
{
	const struct value *value = config(fixture, text, path);

	assert_non_null(value);
	assert_int_equal(value->type, VALUE_STRING);
	return value->as.string.bytes;
}

static void the_returned_table_is_data(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec = fixture_right(
	    fixture, "return { " SERVICE ",\n config = { 1, 2.5, 'x', true, deep = { a = {} } } }");
	const struct value *config_value = value_get(&spec->root, "config");

	assert_int_equal(value_at(config_value, 1)->as.integer, 1);
	assert_true(value_at(config_value, 2)->as.number == 2.5);
	assert_true(value_at(config_value, 4)->as.boolean);
	assert_int_equal(value_path(config_value, "deep.a")->type, VALUE_TABLE);
	assert_int_equal(value_path(&spec->root, "service.start")->type, VALUE_FUNCTION);
	assert_int_equal(spec->service_kind, SERVICE_INLINE);
	assert_string_equal(spec->modules[0].name, "");
	assert_string_equal(spec->modules[0].path, fixture->path);
}

static int line_of(const struct spec *spec, const char *path)
{
	const struct value *value = value_path(&spec->root, path);

	assert_non_null(value);
	return value->line;
}

static void every_key_has_its_line(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec = fixture_right(fixture, "local limits = {\n"
						   "  nofile = 64,\n"
						   "}\n"
						   "limits.core = 0\n"
						   "return {\n"
						   "  limits = limits,\n"
						   "  service = {\n"
						   "    start = function(a, b)\n"
						   "      if a then return { b, x = 1 } end\n"
						   "    end,\n"
						   "  }, -- limits = { nofile }\n"
						   "  [\"config\"] = { a = { b = [[\n"
						   "x]], },\n"
						   "    'two',\n"
						   "  },\n"
						   "  umask = '022', }\n");

	assert_int_equal(line_of(spec, "limits"), 6);
	assert_int_equal(line_of(spec, "limits.nofile"), 2);
	assert_int_equal(line_of(spec, "limits.core"), 4);
	assert_int_equal(line_of(spec, "service.start"), 8);
	assert_int_equal(line_of(spec, "config"), 12);
	assert_int_equal(line_of(spec, "config.a.b"), 12);
	assert_int_equal(line_of(spec, "config.1"), 14);
	assert_int_equal(line_of(spec, "umask"), 16);
}

static void blame_names_the_nearest_known_line(void **state)
{
	struct fixture *fixture = *state;
	struct err err = {0};
	struct spec *spec;

	fixture_write(fixture, "base.lua", "return {\n\n  user = 'nobody',\n}");
	spec = fixture_right(fixture, "local base = include 'base.lua'\n"
				      "base." SERVICE "\n"
				      "base.listen = { web = 'tcp://127.0.0.1:80' }\n"
				      "return base\n");
	assert_string_equal(spec_blame(spec, "listen.web.backlog", &err)->where, "main.lua:3");
	assert_string_equal(err.key, "listen.web.backlog");
	assert_string_equal(spec_blame(spec, "user", &err)->where, "base.lua:3");
	assert_string_equal(spec_blame(spec, "umask", &err)->where, "main.lua");
	assert_null(spec_blame(spec, "umask", NULL));
}

static void host_tells_of_the_machine(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(
	    string(fixture,
		   "return { " SERVICE ", config = { x = host.hostname .. host.cpus"
		   " .. host.env.HOME .. tostring(host.env.NONE) .. host.env.EMPTY } }",
		   "config.x"),
	    "box4/home/annnil");
	assert_string_equal(
	    string(fixture, "return { " SERVICE ", config = { x = host.directory } }", "config.x"),
	    fixture->folder);
	assert_string_equal(
	    string(fixture,
		   "local names = ''\n"
		   "for name in pairs(host.env) do names = names .. name .. ' ' end\n"
		   "return { " SERVICE ", config = { x = names } }",
		   "config.x"),
	    "EMPTY HOME LANG ");
}

static void pairs_goes_by_the_order_of_keys(void **state)
{
	assert_string_equal(string(*state,
				   "local seen = ''\n"
				   "local t = { z = 1, a = 1, 5, m = 1, [2.5] = 1, [-1] = 1 }\n"
				   "for key in pairs(t) do seen = seen .. key .. ' '\n"
				   "  if key == 'a' then t.m = nil end end\n"
				   "return { " SERVICE ", config = { seen = seen } }",
				   "config.seen"),
			    "-1 1 2.5 a z ");
}

static void the_library_is_that_of_the_design(void **state)
{
	fixture_right(*state, "assert(type(1) == 'number' and tonumber '5' == 5)\n"
			      "assert(select('#', 1, 2) == 2 and next({}) == nil)\n"
			      "assert(not pcall(error, 'x'))\n"
			      "assert(('x'):rep(3) == 'xxx' and utf8.len 'ä' == 1)\n"
			      "assert(table.concat({ 1, 2 }, ',') == '1,2')\n"
			      "assert(math.floor(2.5) == 2 and math.type(1) == 'integer')\n"
			      "assert(tostring({}) == 'table')\n"
			      "for i, v in ipairs { 'a' } do assert(i == 1 and v == 'a') end\n"
			      "local t = setmetatable({}, { __index = { x = 1 } })\n"
			      "assert(t.x == 1)\n"
			      "assert(not pcall(setmetatable, {}, { __gc = true }))\n"
			      "assert(not pcall(setmetatable, host, {}))\n"
			      "return { " SERVICE " }");
}

static void nothing_else_is_there(void **state)
{
	static const char *const names[] = {
	    "os.time",      "io.open",  "debug.getinfo", "package.path", "coroutine.wrap",
	    "getmetatable", "rawget",   "rawset",        "_G",           "string.dump",
	    "math.random",  "nonsense",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char text[128];

		snprintf(text, sizeof text,
			 "local ok = pcall(function() return %s end)\n"
			 "if not ok then error('refused', 0) end\nreturn {}",
			 names[i]);
		fixture_wrong(fixture, text, "main.lua:2: refused");
	}
}

static void bytecode_is_refused(void **state)
{
	fixture_wrong(*state, "\x1bLua", "main.lua: attempt to load a binary chunk (mode is 't')");
}

static void a_placeholder_can_be_assigned_passed_and_indexed(void **state)
{
	fixture_right(*state, "local http, net = require 'luvd.http', require('luvd.net')\n"
			      "local serve = http.router.get\n"
			      "local function pass(x) return x end\n"
			      "pass(serve)\n"
			      "assert(http and type(http) == 'userdata')\n"
			      "return { service = { start = function() return http.get() end } }");
}

static void a_placeholder_refuses_everything_else(void **state)
{
	static const char *const uses[] = {
	    "x()",
	    "y = x + 1",
	    "y = 1 - x",
	    "y = x .. ''",
	    "y = -x",
	    "y = #x",
	    "y = x < 1",
	    "y = x == z",
	    "for _ in pairs(x) do end",
	    "y = tostring(x)",
	    "x.field = 1",
	    "y = x[1]",
	    "for _ in ipairs(x) do end",
	    "y = next(x)",
	    "y = ('%s'):format(x)",
	    "include(x)",
	    "setmetatable(x, {})",
	    "y = x // 1",
	    "y = ~x",
	    "y = x.a.b()",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
		char text[128];

		snprintf(text, sizeof text,
			 "local x, z, y = require 'settings', require 'settings'\n\n%s\nreturn {}",
			 uses[i]);
		fixture_wrong(
		    fixture, text,
		    "main.lua:3: \"settings\" is loaded only in the worker: use it inside "
		    "start, or put the service in its own file");
	}
}

static void included_files_follow_the_same_rules(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec;

	fixture_write(fixture, "parts/a.lua",
		      "local b = include './b.lua'\nb.x = 1\nreturn b, 'second'");
	fixture_write(fixture, "parts/b.lua", "return { y = 2 }");
	spec = fixture_right(fixture, "local a, second = include 'parts/a.lua'\n"
				      "local again = include 'parts/b.lua'\n"
				      "again.second = second\n"
				      "return { " SERVICE ", config = { a = a, b = again } }");
	assert_int_equal(value_path(&spec->root, "config.a.x")->as.integer, 1);
	assert_null(value_path(&spec->root, "config.b.x"));
	assert_int_equal(spec->module_count, 3);
	assert_true(strncmp(spec->modules[1].name, "include:/", 9) == 0);
	assert_int_equal(value_path(&spec->root, "config.a.y")->file, 2);
	fixture_write(fixture, "parts/b.lua", "return os.time()");
	fixture_wrong(fixture, "return include 'parts/a.lua'",
		      "parts/b.lua:1: os.time is not there while the file is read as data: use it "
		      "inside start");
}

static void a_file_that_is_no_file_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char expected[256], text[ERR_TEXT_MAX];

	assert_int_equal(mkfifo(fixture->path, 0600), 0);
	assert_int_equal(fixture_load(fixture, NULL), -1);
	snprintf(expected, sizeof expected, "main.lua: '%s' is not a regular file", fixture->path);
	assert_string_equal(err_text(&fixture->errs.list[0], text, sizeof text), expected);
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(fixture_load(fixture, NULL), -1);
	snprintf(expected, sizeof expected, "main.lua: cannot open '%s': no such file or directory",
		 fixture->path);
	assert_string_equal(err_text(&fixture->errs.list[0], text, sizeof text), expected);
}

/* --- bounds, tighter than the design's so that the tests are short --- */

static const struct bounds tight = {.cpu_ms = 60, .wall_ms = 3000, .memory = (size_t)8 << 20};

static void bounded_by(struct fixture *fixture, const struct bounds *bounds, const char *text,
		       const char *expected)
{
	char told[ERR_TEXT_MAX];

	fixture_write(fixture, "main.lua", text);
	fixture_forget(fixture);
	assert_int_equal(
	    spec_load_bounded(&fixture->spec, &fixture->source, bounds, &fixture->errs), -1);
	assert_int_equal(fixture->errs.count, 1);
	assert_string_equal(err_text(&fixture->errs.list[0], told, sizeof told), expected);
	assert_int_equal(fixture->errs.list[0].exit, EXIT_USAGE);
}

static void bounded(struct fixture *fixture, const char *text, const char *expected)
{
	bounded_by(fixture, &tight, text, expected);
}

static void an_endless_loop_ends_with_its_line(void **state)
{
	bounded(*state, "local x = 0\n\nwhile true do x = x + 1 end",
		"main.lua:3: the daemon file used more than 0.06 s of CPU");
}

static void too_much_time_ends_with_its_line(void **state)
{
	static const struct bounds brief = {
	    .cpu_ms = 60000, .wall_ms = 60, .memory = (size_t)8 << 20};

	bounded_by(*state, &brief, "\nwhile true do end",
		   "main.lua:2: the daemon file used more than 0.06 s of wall time");
}

/* Time enough even under valgrind. */
static const struct bounds small = {.cpu_ms = 60000, .wall_ms = 60000, .memory = (size_t)8 << 20};

static void too_much_memory_ends_with_its_line(void **state)
{
	bounded_by(*state, &small, "local t = {}\nfor i = 1, 1e9 do\n  t[i] = { i }\nend",
		   "main.lua:3: the daemon file used more than 8 MiB of memory");
	bounded_by(*state, &small, "local s = ''\npcall(string.rep, 'x', 1e9)\nreturn {}",
		   "main.lua:2: the daemon file used more than 8 MiB of memory");
	bounded_by(*state, &small, "local s = ('x'):rep(3 << 20)\nlocal t = s .. s\nreturn {}",
		   "main.lua:2: the daemon file used more than 8 MiB of memory");
}

/* What a hook cannot end is ended from the signal handler, and with it the process. */
static void ends_the_process(struct fixture *fixture, const char *text, const char *expected)
{
	char told[256];
	size_t used = 0;
	ssize_t got;
	int ends[2], status;
	pid_t child;

	fixture_write(fixture, "main.lua", text);
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		spec_load_bounded(&fixture->spec, &fixture->source, &tight, &fixture->errs);
		_exit(99);
	}
	close(ends[1]);
	while ((got = read(ends[0], told + used, sizeof told - 1 - used)) > 0)
		used += (size_t)got;
	close(ends[0]);
	told[used] = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_USAGE);
	assert_string_equal(told, expected);
}

static void pcall_in_a_loop_does_not_escape(void **state)
{
	bounded(*state, "local function f() while true do end end\n\nwhile true do pcall(f) end",
		"main.lua:1: the daemon file used more than 0.06 s of CPU");
}

static void a_c_function_without_end_does_not_escape(void **state)
{
	ends_the_process(*state,
			 "local s = ('a'):rep(1e5)\n\nlocal x = s:find(('a*'):rep(20) .. 'b')",
			 "luvd: main.lua:3: the daemon file used more than 0.060 s of CPU\n");
}

static void the_signals_of_the_bounds_are_put_back(void **state)
{
	struct sigaction action;
	sigset_t before, after, mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGALRM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &mask, &before), 0);
	fixture_right(*state, "return { " SERVICE " }");
	assert_int_equal(sigaction(SIGALRM, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	assert_int_equal(sigaction(SIGVTALRM, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, &after), 0);
	assert_int_equal(sigismember(&after, SIGALRM), 1);
	assert_int_equal(sigismember(&after, SIGVTALRM), 0);
}

/* --- what the keys become --- */

static void the_keys_fill_the_spec(void **state)
{
	struct fixture *fixture = *state;
	struct spec *spec = fixture_right(
	    fixture,
	    "return { name = 'echo', description = 'says it again', " SERVICE ",\n"
	    "listen = { web = { address = { 'tcp://*:80', 'unix:s' }, backlog = 5, mode = '0600',\n"
	    "  owner = 'a:b', max_connections = 9, max_per_peer = 2, idle_timeout = '5m', "
	    "write_buffer = 100 } },\n"
	    "files = { f = { path = './x/y', mode = 'a' } }, pidfile = false, control = 'c.sock',\n"
	    "user = 33, group = 'adm', groups = { 4, 'tty' }, chroot = 'auto', chdir = '/x',\n"
	    "umask = '077', directories = { state = '0700', logs = true },\n"
	    "environment = { keep = { 'TZ' }, set = { A = 'b', N = 5 } },\n"
	    "log = { to = 'syslog', level = 'debug', format = 'json', facility = 'local3' },\n"
	    "limits = { nofile = 64, core = 'unlimited', memlock = '64KiB' },\n"
	    "priority = { nice = -5, oom_score = 10, cpus = { 1, 0, 1 }, ioprio = 'best-effort:4' "
	    "},\n"
	    "signals = { SIGUSR2 = 'ignore', WINCH = 'service.start' }, timeouts = { stop = 0.5 "
	    "},\n"
	    "capabilities = { 'CAP_SYS_NICE', 'chown' }, lua = { memory = '16MiB', path = 'lib' } "
	    "}");

	assert_string_equal(spec->name, "echo");
	assert_int_equal(spec->listens[0].address_count, 3);
	assert_int_equal(spec->listens[0].max_per_peer, 2);
	assert_int_equal(spec->listens[0].idle_timeout, 300000);
	assert_int_equal(spec->listens[0].mode, 0600);
	assert_string_equal(spec->listens[0].owner, "a:b");
	assert_true(spec->pidfile_given && !spec->pidfile);
	assert_true(strstr(spec->control, "/c.sock") != NULL);
	assert_true(strncmp(spec->files[0].path, fixture->folder, strlen(fixture->folder)) == 0);
	assert_true(strstr(spec->files[0].path, "/x/y") && !strstr(spec->files[0].path, "/./"));
	assert_string_equal(spec->user, "33");
	assert_string_equal(spec->groups[1], "tty");
	assert_true(spec->chroot_auto && !spec->chroot);
	assert_int_equal(spec->folders[DIRECTORY_STATE].mode, 0700);
	assert_true(spec->folders[DIRECTORY_LOGS].wanted);
	assert_false(spec->folders[DIRECTORY_CACHE].wanted);
	assert_string_equal(spec->environment_keep[0], "TZ");
	assert_string_equal(spec->environment_set[1], "N=5");
	assert_true(spec->log.json);
	assert_int_equal(spec->limit_count, 3);
	assert_true(spec->limits[0].value == RLIM_INFINITY);
	assert_int_equal(spec->limits[1].value, 65536);
	assert_int_equal(spec->nice, -5);
	assert_int_equal(spec->cpu_count, 2);
	assert_int_equal(spec->ioprio_class, 2);
	assert_int_equal(spec->ioprio_level, 4);
	assert_int_equal(spec->signal_count, 2);
	assert_int_equal(spec->signals[0].number, SIGUSR2);
	assert_string_equal(spec->signals[1].function, "start");
	assert_int_equal(spec->timeout_stop, 500);
	assert_int_equal(spec->capability_count, 2);
	assert_int_equal(spec->capabilities[0], 0);
	assert_int_equal(spec->lua_memory, 16 << 20);
}

static void a_confined_classic_daemon_is_warned_of(void **state)
{
	struct fixture *fixture = *state;
	struct errs warnings = {0};

	fixture->source.uid = 0;
	fixture->source.owner = getuid();
	spec_warnings(fixture_right(fixture, "return { " SERVICE " }"), true, &warnings);
	assert_int_equal(warnings.count, 1);
	assert_string_equal(warnings.list[0].key, "user");
	errs_finish(&warnings);
	spec_warnings(fixture_right(fixture, "return { " SERVICE ", user = 'root' }"), true,
		      &warnings);
	assert_int_equal(warnings.count, 0);
	spec_warnings(fixture_right(fixture, "return { " SERVICE ", workers = 0, user = 'nobody',\n"
					     "chroot = 'auto', log = '/var/log/x.log' }"),
		      true, &warnings);
	assert_int_equal(warnings.count, 3);
	assert_string_equal(warnings.list[0].where, "main.lua:2");
	errs_finish(&warnings);
	fixture_right(fixture,
		      "return { " SERVICE ", workers = 0, user = 'nobody', log = 'syslog',\n"
		      "pidfile = false }");
	spec_warnings(fixture->spec, true, &warnings);
	assert_int_equal(warnings.count, 0);
	assert_int_equal(chmod(fixture->path, 0600), 0);
	spec_warnings(fixture->spec, true, &warnings);
	assert_int_equal(warnings.count, 1);
	assert_non_null(strstr(warnings.list[0].what, "reload will be refused"));
	errs_finish(&warnings);
}

static void what_only_workers_take_is_warned_of_without_them(void **state)
{
	struct fixture *fixture = *state;
	struct errs warnings = {0};

	spec_warnings(fixture_right(fixture, "return { " SERVICE ", user = 'root', workers = 0,\n"
					     "restart = 'never',\n"
					     "timeouts = { watchdog = 5 } }"),
		      true, &warnings);
	assert_int_equal(warnings.count, 2);
	assert_string_equal(warnings.list[0].where, "main.lua:2");
	assert_string_equal(warnings.list[0].key, "restart");
	assert_string_equal(warnings.list[1].key, "timeouts.watchdog");
	errs_finish(&warnings);
}

static void a_socket_that_nobody_would_serve_is_warned_of(void **state)
{
	static const char *const restarts[] = {"'never'", "{ over = 'go-on' }",
					       "{ final_codes = { 1 } }",
					       "{ over = 'go-on', limit = 0 }", "'always'"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof restarts / sizeof *restarts; i++) {
		struct errs warnings = {0};
		char text[512];

		snprintf(text, sizeof text,
			 "return { " SERVICE ", user = 'root', workers = 2, restart = %s,\n"
			 "listen = { web = { address = 'tcp://127.0.0.1:0', reuseport = true },\n"
			 "others = 'tcp://127.0.0.1:0' } }",
			 restarts[i]);
		spec_warnings(fixture_right(fixture, text), true, &warnings);
		assert_int_equal(warnings.count, i < 3);
		if (i < 3) {
			assert_string_equal(warnings.list[0].where, "main.lua:2");
			assert_string_equal(warnings.list[0].key, "listen.web");
		}
		errs_finish(&warnings);
	}
}

static void a_confined_daemon_with_workers_can_do_everything(void **state)
{
	struct fixture *fixture = *state;
	struct errs warnings = {0};

	fixture->source.uid = 0;
	fixture->source.owner = getuid();
	spec_warnings(fixture_right(fixture, "return { " SERVICE ", user = 'nobody', workers = 1,\n"
					     "chroot = 'auto', log = '/var/log/x.log',\n"
					     "restart = 'never' }"),
		      true, &warnings);
	assert_int_equal(warnings.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_returned_table_is_data),
	    TEST(every_key_has_its_line),
	    TEST(blame_names_the_nearest_known_line),
	    TEST(host_tells_of_the_machine),
	    TEST(pairs_goes_by_the_order_of_keys),
	    TEST(the_library_is_that_of_the_design),
	    TEST(nothing_else_is_there),
	    TEST(bytecode_is_refused),
	    TEST(a_placeholder_can_be_assigned_passed_and_indexed),
	    TEST(a_placeholder_refuses_everything_else),
	    TEST(included_files_follow_the_same_rules),
	    TEST(a_file_that_is_no_file_is_refused),
	    TEST(an_endless_loop_ends_with_its_line),
	    TEST(too_much_time_ends_with_its_line),
	    TEST(too_much_memory_ends_with_its_line),
	    TEST(pcall_in_a_loop_does_not_escape),
	    TEST(a_c_function_without_end_does_not_escape),
	    TEST(the_signals_of_the_bounds_are_put_back),
	    TEST(the_keys_fill_the_spec),
	    TEST(a_confined_classic_daemon_is_warned_of),
	    TEST(what_only_workers_take_is_warned_of_without_them),
	    TEST(a_socket_that_nobody_would_serve_is_warned_of),
	    TEST(a_confined_daemon_with_workers_can_do_everything),
	};

	return cmocka_run_group_tests_name("reading a daemon file", tests, NULL, NULL);
}
