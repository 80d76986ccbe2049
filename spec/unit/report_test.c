#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "host/report.h"

/* One worker of a classic daemon whose words are hostile. */

struct world {
	struct life_counts counts[1];
	struct report_worker worker;
	struct report_listener listener;
	struct report_generation generation;
	struct reload_verdict reload;
	struct report report;
};

static void fill(struct world *world)
{
	*world = (struct world){.counts = {{2, 30}},
				.listener = {"web", "unix:/run/a\"b\\c\n\xff"},
				.generation = {1, "current", 1}};
	world->worker = (struct report_worker){.number = 1,
					       .generation = 1,
					       .pid = 42,
					       .state = "ready",
					       .uptime = 65000,
					       .answered = true,
					       .totals = {.lua_bytes = 2048, .tasks = 3},
					       .resident = 4096,
					       .lag = 1500,
					       .counts = world->counts};
	world->report = (struct report){.name = "echo",
					.description = "says \"hi\"\n",
					.state = "running",
					.pid = 42,
					.uptime = 65000,
					.resident = 4096,
					.generation = 1,
					.text = "all\x1b[31m well",
					.listeners = &world->listener,
					.listener_count = 1,
					.workers = &world->worker,
					.worker_count = 1,
					.generations = &world->generation,
					.generation_count = 1,
					.reload = &world->reload};
}

static char *printed(const struct report *report, void (*print)(const struct report *, FILE *))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	print(report, out);
	fclose(out);
	return text;
}

static void assert_prints(const struct report *report, void (*print)(const struct report *, FILE *),
			  const char *expected)
{
	char *text = printed(report, print);

	if (!strstr(text, expected))
		fail_msg("no '%s' in: %s", expected, text);
	free(text);
}

static void assert_prints_not(const struct report *report,
			      void (*print)(const struct report *, FILE *), const char *text)
{
	char *all = printed(report, print);

	assert_null(strstr(all, text));
	free(all);
}

static void people_read_one_line_for_each_thing(void **state)
{
	struct world world;

	(void)state;
	fill(&world);
	assert_prints(&world.report, report_text, "description says \"hi\"\\x0a\n");
	assert_prints(&world.report, report_text, "uptime      1m 5s\n");
	assert_prints(&world.report, report_text,
		      "listeners   web unix:/run/a\"b\\c\\x0a\\xff, 2 connections, 30 accepted\n");
	assert_prints(&world.report, report_text, "memory      4 KiB, Lua 2 KiB\n");
	assert_prints(&world.report, report_text, "status      all\\x1b[31m well\n");
	assert_prints_not(&world.report, report_text, "workers");
	assert_prints_not(&world.report, report_text, "reload");
}

static void people_see_each_worker_of_a_monitor(void **state)
{
	struct world world;

	(void)state;
	fill(&world);
	world.report.monitor = true;
	world.worker.restarts = 1;
	world.worker.resident = 8192;
	assert_prints(&world.report, report_text, "memory      12 KiB, monitor 4 KiB, Lua ");
	assert_prints(&world.report, report_text, "generations 1, current, 1 worker\n");
	assert_prints(&world.report, report_text,
		      "workers     1 of generation 1, ready, pid 42, up 1m 5s, 1 restart, "
		      "2 connections, 8 KiB, Lua 2 KiB, lag 1.5 ms\n");
	world.worker.answered = false;
	assert_prints(&world.report, report_text, "pid 42, up 1m 5s, 1 restart, does not answer\n");
	world.worker =
	    (struct report_worker){.number = 1, .generation = 1, .state = "absent", .lost = true};
	assert_prints(&world.report, report_text, "workers     1 of generation 1, given up\n");
}

static void people_read_what_became_of_a_reload(void **state)
{
	struct world world;

	(void)state;
	fill(&world);
	world.reload = (struct reload_verdict){.at = 1, .done = true, .took = 34, .accepted = 1};
	snprintf(world.reload.text, sizeof world.reload.text, "reloaded in 34 ms: config.x");
	assert_prints(&world.report, report_text,
		      "reload      1970-01-01T00:00:01Z: reloaded in 34 ms: config.x\n");
	world.reload.done = false;
	snprintf(world.reload.text, sizeof world.reload.text, "echo.lua:1: no");
	assert_prints(&world.report, report_text,
		      "reload      1970-01-01T00:00:01Z: refused in 34ms: echo.lua:1: no\n");
	assert_prints(&world.report, report_json,
		      "\"reload\":{\"time\":\"1970-01-01T00:00:01Z\",\"ok\":false,"
		      "\"milliseconds\":34,\"accepted\":1,\"refused\":0,\"text\":");
}

static void json_escapes_what_others_have_chosen(void **state)
{
	struct world world;

	(void)state;
	fill(&world);
	assert_prints(&world.report, report_json, "\"description\":\"says \\\"hi\\\"\\n\"");
	assert_prints(&world.report, report_json, "\"status\":\"all\\u001b[31m well\"");
	assert_prints(&world.report, report_json,
		      "\"address\":\"unix:/run/a\\\"b\\\\c\\n\\ufffd\",\"connections\":2");
	world.worker.answered = false;
	assert_prints(&world.report, report_json, "\"lost\":false,\"answered\":false}]");
	assert_prints(&world.report, report_json, "\"connections\":0,\"accepted\":0}],");
}

static void labels_are_escaped_as_the_format_wants(void **state)
{
	struct world world;

	(void)state;
	fill(&world);
	assert_prints(&world.report, report_metrics,
		      "luvd_accepted_total{daemon=\"echo\",listener=\"web\","
		      "address=\"unix:/run/a\\\"b\\\\c\\n\xEF\xBF\xBD\","
		      "worker=\"1\",generation=\"1\"} 30\n");
	assert_prints(&world.report, report_metrics,
		      "luvd_loop_lag_seconds{daemon=\"echo\",worker=\"1\",generation=\"1\"} "
		      "0.001500\n");
	assert_prints(&world.report, report_metrics, "luvd_workers{daemon=\"echo\"} 1\n");
	assert_prints_not(&world.report, report_metrics, "luvd_last_reload");
	world.worker.answered = false;
	assert_prints_not(&world.report, report_metrics, "luvd_accepted_total{");
	assert_prints(&world.report, report_metrics,
		      "luvd_worker_up{daemon=\"echo\",worker=\"1\",generation=\"1\"} 0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(people_read_one_line_for_each_thing),
	    cmocka_unit_test(people_see_each_worker_of_a_monitor),
	    cmocka_unit_test(people_read_what_became_of_a_reload),
	    cmocka_unit_test(json_escapes_what_others_have_chosen),
	    cmocka_unit_test(labels_are_escaped_as_the_format_wants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
