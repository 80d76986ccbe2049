#include <stdarg.h>
#include <string.h>

#include "host/report.h"

/* Every series has the label daemon, so that the pages of several daemons can be put together. A
 * worker's also have worker and generation: a counter then only ever starts anew with a process. */

struct metrics {
	const char *daemon;
	const char *family;
	FILE *out;
};

/* Backslash, quote and newline are all that may not stand in a label's value; bytes that are no
 * UTF-8 become U+FFFD. */
static void label(FILE *out, const char *name, const char *value)
{
	size_t left = strlen(value);

	fprintf(out, "%s=\"", name);
	while (left > 0) {
		size_t length = text_utf8_length((const unsigned char *)value, left);

		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else if (length)
			fwrite(value, 1, length, out);
		else
			fputs("\xEF\xBF\xBD", out);
		length = length ? length : 1;
		value += length;
		left -= length;
	}
	fputc('"', out);
}

static void family(struct metrics *metrics, const char *name, const char *type, const char *help)
{
	metrics->family = name;
	fprintf(metrics->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void begin(const struct metrics *metrics)
{
	fprintf(metrics->out, "%s{", metrics->family);
	label(metrics->out, "daemon", metrics->daemon);
}

/* The value, and the end of the line. */
static void end(const struct metrics *metrics, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void end(const struct metrics *metrics, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("} ", metrics->out);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is begun above */
	vfprintf(metrics->out, format, args);
	va_end(args);
	fputc('\n', metrics->out);
}

static void of_worker(const struct metrics *metrics, const struct report_worker *worker)
{
	fprintf(metrics->out, ",worker=\"%d\",generation=\"%d\"", worker->number,
		worker->generation);
}

static void whole(struct metrics *metrics, const char *name, const char *type, const char *help,
		  uint64_t value)
{
	family(metrics, name, type, help);
	begin(metrics);
	end(metrics, "%llu", (unsigned long long)value);
}

/* --- what each worker has --- */

static uint64_t lua_bytes(const struct report_worker *worker)
{
	return worker->totals.lua_bytes;
}

static uint64_t tasks(const struct report_worker *worker)
{
	return worker->totals.tasks;
}

static uint64_t failed_tasks(const struct report_worker *worker)
{
	return worker->totals.failed;
}

static uint64_t connections(const struct life_counts *counts)
{
	return counts->connections;
}

static uint64_t accepted(const struct life_counts *counts)
{
	return counts->accepted;
}

static void each_worker(struct metrics *metrics, const struct report *report, const char *name,
			const char *type, const char *help,
			uint64_t (*value)(const struct report_worker *worker))
{
	family(metrics, name, type, help);
	for (size_t i = 0; i < report->worker_count; i++) {
		if (!report->workers[i].answered)
			continue;
		begin(metrics);
		of_worker(metrics, &report->workers[i]);
		end(metrics, "%llu", (unsigned long long)value(&report->workers[i]));
	}
}

static void each_listener(struct metrics *metrics, const struct report *report, const char *name,
			  const char *type, const char *help,
			  uint64_t (*value)(const struct life_counts *counts))
{
	family(metrics, name, type, help);
	for (size_t i = 0; i < report->worker_count; i++) {
		const struct report_worker *worker = &report->workers[i];

		for (size_t k = 0; worker->answered && k < report->listener_count; k++) {
			begin(metrics);
			fputc(',', metrics->out);
			label(metrics->out, "listener", report->listeners[k].name);
			fputc(',', metrics->out);
			label(metrics->out, "address", report->listeners[k].address);
			of_worker(metrics, worker);
			end(metrics, "%llu", (unsigned long long)value(&worker->counts[k]));
		}
	}
}

/* process: the monitor's own, too. */
static void resident(struct metrics *metrics, const struct report *report)
{
	family(metrics, "luvd_resident_bytes", "gauge", "Resident memory of a process.");
	if (report->monitor && report->resident) {
		begin(metrics);
		fputs(",process=\"monitor\"", metrics->out);
		end(metrics, "%llu", (unsigned long long)report->resident);
	}
	for (size_t i = 0; i < report->worker_count; i++) {
		const struct report_worker *worker = &report->workers[i];

		if (!worker->answered || !worker->resident)
			continue;
		begin(metrics);
		fputs(",process=\"worker\"", metrics->out);
		of_worker(metrics, worker);
		end(metrics, "%llu", (unsigned long long)worker->resident);
	}
}

static void lag(struct metrics *metrics, const struct report *report)
{
	family(metrics, "luvd_loop_lag_seconds", "gauge",
	       "The longest lag of the event loop since it was asked before.");
	for (size_t i = 0; i < report->worker_count; i++) {
		const struct report_worker *worker = &report->workers[i];

		if (!worker->answered)
			continue;
		begin(metrics);
		of_worker(metrics, worker);
		end(metrics, "%.6f", (double)worker->lag / 1e6);
	}
}

static void workers(struct metrics *metrics, const struct report *report)
{
	family(metrics, "luvd_worker_up", "gauge",
	       "1 when the worker answers, 0 when it does not.");
	for (size_t i = 0; i < report->worker_count; i++) {
		begin(metrics);
		of_worker(metrics, &report->workers[i]);
		end(metrics, "%d", report->workers[i].answered);
	}
	whole(metrics, "luvd_worker_restarts_total", "counter", "Workers that were replaced.",
	      report->restarts);
	each_listener(metrics, report, "luvd_connections", "gauge", "Open connections.",
		      connections);
	each_listener(metrics, report, "luvd_accepted_total", "counter", "Connections accepted.",
		      accepted);
	resident(metrics, report);
	each_worker(metrics, report, "luvd_lua_bytes", "gauge", "Memory of the Lua heap.",
		    lua_bytes);
	each_worker(metrics, report, "luvd_tasks", "gauge", "Tasks of the service.", tasks);
	each_worker(metrics, report, "luvd_failed_tasks_total", "counter",
		    "Tasks that have failed.", failed_tasks);
	lag(metrics, report);
}

/* --- what the daemon has --- */

static void up(struct metrics *metrics, bool answers)
{
	whole(metrics, "luvd_up", "gauge", "1 when the daemon answers, 0 when it does not.",
	      answers);
}

static void seconds(struct metrics *metrics, const char *name, const char *help,
		    int64_t milliseconds)
{
	family(metrics, name, "gauge", help);
	begin(metrics);
	end(metrics, "%.3f", (double)milliseconds / 1000);
}

static void reloads(struct metrics *metrics, const struct reload_verdict *last)
{
	static const char *const results[] = {"done", "refused"};

	family(metrics, "luvd_reloads_total", "counter", "Reloads by their verdict.");
	for (int i = 0; i < 2; i++) {
		begin(metrics);
		fprintf(metrics->out, ",result=\"%s\"", results[i]);
		end(metrics, "%llu",
		    (unsigned long long)(!last ? 0
					 : i   ? last->refused
					       : last->accepted));
	}
	if (!last || !last->at)
		return;
	whole(metrics, "luvd_last_reload_successful", "gauge",
	      "1 when the last reload was done, 0 when it was refused.", last->done);
	seconds(metrics, "luvd_last_reload_duration_seconds", "How long the last reload took.",
		last->took);
	whole(metrics, "luvd_last_reload_timestamp_seconds", "gauge", "When the last reload ended.",
	      (uint64_t)last->at);
}

static uint64_t ready(const struct report *report)
{
	uint64_t count = 0;

	for (size_t i = 0; i < report->worker_count; i++)
		count += strcmp(report->workers[i].state, "ready") == 0 ||
			 strcmp(report->workers[i].state, "reloading") == 0;
	return count;
}

void report_metrics(const struct report *report, FILE *out)
{
	struct metrics metrics = {.daemon = report->name, .out = out};

	up(&metrics, true);
	family(&metrics, "luvd_info", "gauge", "What runs, in its labels.");
	begin(&metrics);
	fprintf(out, ",version=\"%s\",state=\"%s\"", LUVD_VERSION, report->state);
	end(&metrics, "1");
	seconds(&metrics, "luvd_uptime_seconds", "How long the daemon has been running.",
		report->uptime);
	whole(&metrics, "luvd_generation", "gauge", "The generation that serves.",
	      (uint64_t)report->generation);
	whole(&metrics, "luvd_generations", "gauge", "Generations that are alive.",
	      report->generation_count);
	whole(&metrics, "luvd_workers", "gauge", "Workers that serve.", ready(report));
	workers(&metrics, report);
	reloads(&metrics, report->reload);
	whole(&metrics, "luvd_log_lines_lost_total", "counter", "Lines of the log that were lost.",
	      report->lines_lost);
}

void report_metrics_down(const char *name, FILE *out)
{
	struct metrics metrics = {.daemon = name, .out = out};

	up(&metrics, false);
}
