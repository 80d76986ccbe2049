#include "crew_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(struct kit *kit, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(struct kit *kit, const char *format, ...)
{
	size_t length = strlen(kit->calls);
	char call[128];
	va_list list;

	va_start(list, format);
	(void)vsnprintf(call, sizeof call, format, list);
	va_end(list);
	assert_true(length + sizeof call < sizeof kit->calls);
	(void)sprintf(kit->calls + length, "%s%s", length > 0 ? "; " : "", call);
}

static int on_spawn(void *data, struct worker_slot *slot, struct err *err)
{
	struct kit *kit = data;

	if (kit->refusals > 0) {
		kit->refusals--;
		note(kit, "no spawn %d/%d", slot->generation, slot->number);
		return err_set(err, "no more processes");
	}
	note(kit, "spawn %d/%d", slot->generation, slot->number);
	slot->pid = ++kit->pid;
	return 0;
}

static void on_leave(void *data, struct worker_slot *slot, const char *reason, int64_t timeout_ms)
{
	note(data, "leave %d/%d %s %lld", slot->generation, slot->number, reason,
	     (long long)timeout_ms);
}

static void on_kill(void *data, struct worker_slot *slot)
{
	note(data, "kill %d/%d", slot->generation, slot->number);
}

static void on_reload(void *data, struct worker_slot *slot, bool back)
{
	note(data, "%s %d/%d", back ? "back" : "reload", slot->generation, slot->number);
}

static void on_started(void *data)
{
	note(data, "started");
}

static void keep(struct kit *kit, const struct err *err)
{
	kit->verdict[0] = 0;
	if (err)
		err_text(err, kit->verdict, sizeof kit->verdict);
}

static void on_start_failed(void *data, const struct err *err)
{
	keep(data, err);
	note(data, "start_failed");
}

static void on_current(void *data, int generation)
{
	note(data, "current %d", generation);
}

static void on_gone(void *data, int generation)
{
	note(data, "gone %d", generation);
}

static void on_verdict(void *data, const struct err *err)
{
	keep(data, err);
	note(data, err ? "refused" : "done");
}

static void on_load(void *data)
{
	note(data, "load");
}

static void on_stopped(void *data, int code)
{
	note(data, "stopped %d", code);
}

static void on_log(void *data, enum log_level level, const char *text)
{
	struct kit *kit = data;
	size_t length = strlen(kit->log);
	const char *mark = level >= LEVEL_WARN ? "! " : "";

	assert_true(length + strlen(mark) + strlen(text) + 2 < sizeof kit->log);
	(void)sprintf(kit->log + length, "%s%s\n", mark, text);
}

static uint32_t on_random(void *data)
{
	const struct kit *kit = data;

	return kit->random;
}

struct crew_calls kit_calls(struct kit *kit)
{
	return (struct crew_calls){.data = kit,
				   .spawn = on_spawn,
				   .leave = on_leave,
				   .kill = on_kill,
				   .reload = on_reload,
				   .started = on_started,
				   .start_failed = on_start_failed,
				   .current = on_current,
				   .gone = on_gone,
				   .verdict = on_verdict,
				   .load = on_load,
				   .stopped = on_stopped,
				   .log = on_log,
				   .random = on_random};
}

int kit_open(void **state)
{
	struct kit *kit = calloc(1, sizeof *kit);
	struct crew_calls calls;
	struct err err;

	assert_non_null(kit);
	kit->now = 1000000;
	kit->pid = 100;
	kit->random = 512; /* neither more nor less */
	kit->rules = (struct crew_rules){
	    .workers = 2,
	    .generations = 2,
	    .timeout_start = 30000,
	    .timeout_reload = 5000,
	    .timeout_stop = 10000,
	    .timeout_drain = 60000,
	    .restart = {.backoff = 100, .backoff_limit = 1000, .limit = 5, .window = 60000}};
	calls = kit_calls(kit);
	kit->crew = crew_create(&calls, &err);
	assert_non_null(kit->crew);
	*state = kit;
	return 0;
}

int kit_close(void **state)
{
	struct kit *kit = *state;

	crew_destroy(kit->crew);
	free(kit);
	return 0;
}

void kit_forget(struct kit *kit)
{
	kit->calls[0] = 0;
}

void kit_expect(struct kit *kit, const char *calls)
{
	assert_string_equal(kit->calls, calls);
	kit_forget(kit);
}

struct worker_slot *kit_slot(const struct kit *kit, int generation, int number)
{
	for (size_t i = 0; i < crew_slots(kit->crew); i++) {
		struct worker_slot *slot = crew_slot(kit->crew, i);

		if (slot->generation == generation && slot->number == number)
			return slot;
	}
	fail_msg("there is no place %d/%d", generation, number);
	return NULL;
}

enum monitor_state kit_state(const struct kit *kit)
{
	struct crew_status status;

	crew_status(kit->crew, &status);
	return status.state;
}

void kit_start(struct kit *kit)
{
	assert_int_equal(crew_start(kit->crew, &kit->rules, kit->now), 0);
}

void kit_ready(struct kit *kit, int generation, int number)
{
	crew_ready(kit->crew, kit_slot(kit, generation, number), kit->now);
}

void kit_failed(struct kit *kit, int generation, int number, const char *what)
{
	struct err err = {0};

	err_set(&err, "%s", what);
	crew_failed(kit->crew, kit_slot(kit, generation, number), &err, kit->now);
}

void kit_died(struct kit *kit, int generation, int number, int status)
{
	crew_died(kit->crew, kit_slot(kit, generation, number), status, "", kit->now);
}

void kit_accepted(struct kit *kit, int generation, int number)
{
	crew_accepted(kit->crew, kit_slot(kit, generation, number), kit->now);
}

void kit_refused(struct kit *kit, int generation, int number, const char *what)
{
	struct err err = {0};

	err_set(&err, "%s", what);
	crew_refused(kit->crew, kit_slot(kit, generation, number), &err, kit->now);
}

void kit_later(struct kit *kit, int64_t ms)
{
	kit->now += ms;
	crew_tick(kit->crew, kit->now);
}

void kit_run(struct kit *kit)
{
	kit_start(kit);
	for (int i = 1; i <= kit->rules.workers; i++)
		kit_ready(kit, 1, i);
	assert_int_equal(kit_state(kit), MONITOR_RUNNING);
	kit_forget(kit);
	kit->log[0] = 0;
}

void kit_expect_log(const struct kit *kit, const char *text)
{
	if (!strstr(kit->log, text))
		fail_msg("not logged: %s\nbut: %s", text, kit->log);
}

void kit_apply(struct kit *kit)
{
	assert_true(crew_reload(kit->crew, kit->now));
	assert_int_equal(kit_state(kit), MONITOR_LOADING);
	crew_apply(kit->crew, &kit->rules, kit->now);
}

int kit_renew(struct kit *kit)
{
	assert_true(crew_reload(kit->crew, kit->now));
	return crew_renew(kit->crew, &kit->rules, kit->now);
}
