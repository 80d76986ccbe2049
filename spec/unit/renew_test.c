#include "host/monitor/renew.h"

#include "spec_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/bundle.h"
#include "host/channel.h"
#include "host/loader.h"
#include "host/monitor/member.h"
#include "host/monitor/query.h"
#include "host/notify.h"
#include "plan/record.h"
#include "plan/step.h"

/* A reload of a monitor as a transaction: real specs, bundles and sockets; the test plays the
 * loader, the crew, the workers and whoever waits. */

struct play {
	struct fixture *fixture;
	struct daemon daemon;
	struct monitor monitor;
	struct worker_slot slot;
	struct member member;

	void (*tell)(void *data, struct spec *fresh, const struct err *err); /* the loader's */
	void *data;
	int loads;        /* loaders that were started */
	bool busy;        /* the crew has a round */
	int applied;      /* crew_apply */
	int renewed;      /* crew_renew */
	char failed[512]; /* crew_load_failed */
	int sent;         /* the bundle that the worker was given last */
	int answers;      /* to clients */
	int code;
	char answer[1800];
	enum log_level level;
};

static struct play *play;

/* --- played --- */

struct loader {
	int nothing;
};
static struct loader the_loader;

struct loader *loader_create(uv_loop_t *loop, struct daemon *daemon,
			     void (*tell)(void *data, struct spec *fresh, const struct err *err),
			     void *data, struct err *err)
{
	(void)loop;
	(void)daemon;
	(void)err;
	play->tell = tell;
	play->data = data;
	return &the_loader;
}

int loader_start(struct loader *loader, struct err *err)
{
	(void)loader;
	(void)err;
	play->loads++;
	return 0;
}

void loader_close(struct loader *loader)
{
	(void)loader;
}

char *const *loader_seen(const struct loader *loader)
{
	(void)loader;
	return NULL;
}

pid_t loader_pid(const struct loader *loader)
{
	(void)loader;
	return 4711;
}

void loader_destroy(struct loader *loader)
{
	(void)loader;
}

bool crew_reload(struct crew *crew, int64_t now)
{
	bool first = !play->busy;

	(void)crew;
	(void)now;
	play->busy = true;
	return first;
}

static void end_round(const struct err *err)
{
	play->busy = false;
	renew_verdict(&play->monitor, err);
}

void crew_load_failed(struct crew *crew, const struct err *err, int64_t now)
{
	(void)crew;
	(void)now;
	err_text(err, play->failed, sizeof play->failed);
	end_round(err);
}

void crew_apply(struct crew *crew, const struct crew_rules *rules, int64_t now)
{
	(void)crew;
	(void)now;
	assert_int_equal(rules->workers, 2);
	play->applied++;
	renew_worker(&play->monitor, &play->slot, false);
}

int crew_next_generation(const struct crew *crew)
{
	(void)crew;
	return 2;
}

int crew_renew(struct crew *crew, const struct crew_rules *rules, int64_t now)
{
	(void)crew;
	(void)rules;
	(void)now;
	play->renewed++;
	assert_non_null(generation_find(play->monitor.generations, 2));
	return 2;
}

struct member *member_of(const struct worker_slot *slot)
{
	return slot->user;
}

void member_tell_fds(struct member *member, const struct message *message, const int *fds,
		     size_t count)
{
	(void)member;
	assert_int_equal(message->type, MESSAGE_RELOAD);
	assert_int_equal(count, 1);
	play->sent = fds[0];
}

/* Its workers have all come so far. */
void queries_settle(struct queries *queries, struct control_client *client, int code,
		    const char *text)
{
	(void)queries;
	control_end(client, code, text);
}

void control_end(struct control_client *client, int code, const char *text)
{
	assert_non_null(client);
	play->answers++;
	play->code = code;
	snprintf(play->answer, sizeof play->answer, "%s", text);
}

void log_printf(struct log *log, enum log_level level, const char *format, ...)
{
	(void)log;
	(void)level;
	(void)format;
}

void log_err(struct log *log, enum log_level level, const struct err *err)
{
	(void)log;
	(void)level;
	(void)err;
}

void log_write_more(struct log *log, enum log_level level, const char *text, const char *more)
{
	(void)log;
	(void)level;
	(void)text;
	(void)more;
}

void log_set_level(struct log *log, enum log_level level)
{
	(void)log;
	play->level = level;
}

void notify_reloading(struct daemon *daemon)
{
	(void)daemon;
}

void notify_reloaded(struct daemon *daemon)
{
	(void)daemon;
}

void heartbeat_start(struct monitor *monitor)
{
	(void)monitor;
}

void signals_renew(struct signals *signals)
{
	(void)signals;
}

int64_t monitor_now(void)
{
	return 1000;
}

int __wrap_record_write(struct daemon *daemon, struct err *err);

int __wrap_record_write(struct daemon *daemon, struct err *err)
{
	(void)daemon;
	(void)err;
	return 0;
}

/* --- the stage --- */

static struct spec *read_spec(const char *rest)
{
	char text[1024];
	struct spec *spec;

	snprintf(text, sizeof text, "return { service = 'room', workers = 2,\n%s }", rest);
	spec = fixture_right(play->fixture, text);
	assert_int_equal(spec_resolve(spec, true, &play->fixture->errs), 0);
	play->fixture->spec = NULL;
	return spec;
}

static int setup(void **state)
{
	void *fixture;

	play = calloc(1, sizeof *play);
	if (!play || fixture_setup(&fixture) < 0)
		return -1;
	play->fixture = fixture;
	play->fixture->source.uid = getuid();
	play->fixture->source.owner = getuid();
	fixture_write(fixture, "room.lua", "return {}");
	daemon_init(&play->daemon);
	play->daemon.machine.euid = geteuid();
	memset(play->daemon.machine.hard, 0xff, sizeof play->daemon.machine.hard);
	uv_loop_init(&play->monitor.loop);
	play->monitor.daemon = &play->daemon;
	play->slot = (struct worker_slot){.number = 1, .generation = 1, .user = &play->member};
	*state = play;
	return 0;
}

static void start(const char *rest)
{
	struct err err = {0};

	play->daemon.spec = read_spec(rest);
	assert_int_equal(step_listen.apply(&play->daemon, &err), 0);
	play->monitor.sockets = sockets_create(&play->daemon, &err);
	assert_non_null(generation_add(&play->monitor.generations, 1, play->daemon.spec, dup(2)));
	assert_int_equal(renew_open(&play->monitor, &err), 0);
}

static int teardown(void **state)
{
	void *fixture = play->fixture;
	int result;

	(void)state;
	renew_close(&play->monitor);
	uv_run(&play->monitor.loop, UV_RUN_DEFAULT);
	renew_destroy(&play->monitor);
	sockets_destroy(play->monitor.sockets);
	while (play->monitor.generations)
		generation_remove(&play->monitor.generations, play->monitor.generations->id,
				  play->daemon.spec);
	daemon_finish(&play->daemon);
	assert_int_equal(uv_loop_close(&play->monitor.loop), 0);
	result = fixture_teardown(&fixture);
	free(play);
	return result;
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

static struct control_client *client(void)
{
	return (struct control_client *)&play->member; /* only passed on */
}

static void wish(void)
{
	renew_request(&play->monitor, client());
}

/* The loader has read this. */
static void loaded(const char *rest)
{
	play->tell(play->data, read_spec(rest), NULL);
}

static void accepted(void)
{
	end_round(NULL);
}

static void refused(const char *why)
{
	struct err err = {0};

	err_set(&err, "%s", why);
	end_round(&err);
}

static bool is_config(const struct spec *spec, const char *banner)
{
	const struct value *value = value_path(&spec->root, "config.banner");

	return value && value->type == VALUE_STRING && strcmp(value->as.string.bytes, banner) == 0;
}

/* --- rules --- */

static void config_is_taken_over_when_all_have_accepted(void **state)
{
	const struct spec *before;
	struct err err = {0};
	struct spec *sent;

	(void)state;
	start("config = { banner = 'one' }");
	before = play->daemon.spec;
	wish();
	assert_int_equal(play->loads, 1);
	loaded("config = { banner = 'two' }, log = { level = 'warn' }");
	assert_int_equal(play->applied, 1);
	assert_ptr_equal(play->daemon.spec, before);
	sent = bundle_read(play->sent, &err);
	assert_true(is_config(sent, "two"));
	spec_destroy(sent);
	accepted();
	assert_true(is_config(play->daemon.spec, "two"));
	assert_ptr_equal(play->monitor.generations->spec, play->daemon.spec);
	assert_int_equal(play->monitor.generations->bundle_fd, play->sent);
	assert_int_equal(play->level, LEVEL_WARN);
	assert_int_equal(play->answers, 1);
	assert_int_equal(play->code, EXIT_DONE);
	assert_string_equal(play->answer, "reloaded in 0 ms: config.banner, log.level");
}

static void a_refusal_keeps_the_old_and_gives_it_back(void **state)
{
	int old;

	(void)state;
	start("config = { banner = 'one' }");
	old = play->monitor.generations->bundle_fd;
	wish();
	loaded("config = { banner = 'two' }");
	assert_int_not_equal(play->sent, old);
	renew_worker(&play->monitor, &play->slot, true);
	assert_int_equal(play->sent, old);
	refused("worker 2 does not want it");
	assert_true(is_config(play->daemon.spec, "one"));
	assert_int_equal(play->code, EXIT_FAILED);
	assert_string_equal(play->answer, "worker 2 does not want it");
	assert_false(play->monitor.reload.done);
}

static void what_outlives_every_worker_is_refused(void **state)
{
	(void)state;
	start("chdir = '/'");
	wish();
	loaded("chdir = '/tmp', workers = 0, pidfile = '/x.pid'");
	assert_string_equal(play->failed, "needs restart: pidfile, workers");
	assert_int_equal(play->renewed, 0);
	assert_int_equal(play->code, EXIT_FAILED);
}

static void what_new_workers_take_is_a_generation(void **state)
{
	size_t count;

	(void)state;
	start("listen = { a = 'unix:room' }");
	wish();
	loaded("chdir = '/tmp', listen = { a = 'unix:room', b = 'tcp://127.0.0.1:0' }");
	assert_int_equal(play->renewed, 1);
	assert_non_null(sockets_list(play->monitor.sockets, 2, &count));
	assert_int_equal(count, 2);
	/* As the crew tells when all are ready. */
	play->daemon.spec = generation_find(play->monitor.generations, 2)->spec;
	play->daemon.generation = 2;
	renew_current(&play->monitor);
	assert_int_equal(play->daemon.listener_count, 2);
	assert_string_equal(play->daemon.listeners[1].listen->name, "b");
	accepted();
	assert_string_equal(play->answer, "generation 2 in 0 ms: chdir, listen.b");
	sockets_release(play->monitor.sockets, 1);
	generation_remove(&play->monitor.generations, 1, play->daemon.spec);
}

static void changed_code_is_a_generation_of_the_service(void **state)
{
	(void)state;
	start("config = { banner = 'one' }");
	fixture_write(play->fixture, "room.lua", "return { 2 }");
	wish();
	loaded("config = { banner = 'two' }");
	assert_int_equal(play->renewed, 1);
	refused("start: it raises");
	assert_string_equal(play->answer, "start: it raises");
	assert_true(is_config(play->daemon.spec, "one"));
}

static void a_socket_that_cannot_be_bound_leaves_no_generation(void **state)
{
	(void)state;
	start("listen = { a = 'unix:room' }");
	fixture_write(play->fixture, "taken", "a file");
	wish();
	loaded("listen = { a = 'unix:room', b = 'unix:taken' }");
	assert_non_null(strstr(play->failed, "main.lua:2: listen.b: cannot bind"));
	assert_int_equal(play->renewed, 0);
	assert_null(generation_find(play->monitor.generations, 2));
}

static void limits_that_the_monitor_may_not_give_are_refused(void **state)
{
	(void)state;
	start("chdir = '/'");
	play->daemon.machine.hard[RLIMIT_NOFILE] = 100;
	wish();
	loaded("limits = { nofile = 200 }");
	assert_non_null(strstr(play->failed, "main.lua:2: limits.nofile: "));
	assert_int_equal(play->renewed, 0);
}

static void folders_of_another_user_need_a_restart(void **state)
{
	struct spec *fresh;

	(void)state;
	start("directories = { state = true }");
	wish();
	fresh = read_spec("directories = { state = true }, chdir = '/tmp'");
	fresh->uid++;
	play->tell(play->data, fresh, NULL);
	assert_non_null(strstr(play->failed, "user: needs restart: '"));
	assert_int_equal(play->renewed, 0);
}

static void what_cannot_be_read_is_the_verdict(void **state)
{
	struct err err = {.exit = EXIT_USAGE, .where = "main.lua:3"};

	(void)state;
	start("chdir = '/'");
	wish();
	err_set(&err, "unexpected symbol");
	play->tell(play->data, NULL, &err);
	assert_int_equal(play->code, EXIT_USAGE);
	assert_string_equal(play->answer, "main.lua:3: unexpected symbol");
}

static void wishes_while_one_runs_share_the_next(void **state)
{
	(void)state;
	start("config = { banner = 'one' }");
	wish();
	wish();
	wish();
	assert_int_equal(play->loads, 1);
	loaded("config = { banner = 'two' }");
	accepted();
	assert_int_equal(play->answers, 1);
	renew_load(&play->monitor);
	assert_int_equal(play->loads, 1); /* not within the crew's call */
	uv_run(&play->monitor.loop, UV_RUN_NOWAIT);
	assert_int_equal(play->loads, 2);
	loaded("config = { banner = 'three' }");
	accepted();
	assert_int_equal(play->answers, 3);
	assert_true(is_config(play->daemon.spec, "three"));
}

static void a_daemon_that_stops_answers_all_who_wait(void **state)
{
	(void)state;
	start("chdir = '/'");
	wish();
	wish();
	renew_close(&play->monitor);
	assert_int_equal(play->answers, 2);
	assert_string_equal(play->answer, "the daemon is stopping");
	wish();
	assert_int_equal(play->answers, 3);
	assert_int_equal(play->loads, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(config_is_taken_over_when_all_have_accepted),
	    TEST(a_refusal_keeps_the_old_and_gives_it_back),
	    TEST(what_outlives_every_worker_is_refused),
	    TEST(what_new_workers_take_is_a_generation),
	    TEST(changed_code_is_a_generation_of_the_service),
	    TEST(a_socket_that_cannot_be_bound_leaves_no_generation),
	    TEST(limits_that_the_monitor_may_not_give_are_refused),
	    TEST(folders_of_another_user_need_a_restart),
	    TEST(what_cannot_be_read_is_the_verdict),
	    TEST(wishes_while_one_runs_share_the_next),
	    TEST(a_daemon_that_stops_answers_all_who_wait),
	};

	return cmocka_run_group_tests_name("a reload of a monitor", tests, NULL, NULL);
}
