#include <string.h>
#include <time.h>

#include "host/report.h"
#include "text.h"

static void row(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%-11s ", key);
	text_line(out, text, strlen(text));
	fputc('\n', out);
}

static void listeners(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->listener_count; i++) {
		const struct report_listener *listener = &report->listeners[i];
		struct life_counts counts = report_counts(report, i);

		fprintf(out, "%-11s %s ", i ? "" : "listeners", listener->name);
		text_line(out, listener->address, strlen(listener->address));
		fprintf(out, ", %llu connection%s, %llu accepted\n",
			(unsigned long long)counts.connections, counts.connections == 1 ? "" : "s",
			(unsigned long long)counts.accepted);
	}
}

static void memory(const struct report *report, const struct life_totals *totals, FILE *out)
{
	fprintf(out, "%-11s ", "memory");
	text_size(out, report_resident(report));
	if (report->monitor) {
		fputs(", monitor ", out);
		text_size(out, report->resident);
	}
	fputs(", Lua ", out);
	text_size(out, totals->lua_bytes);
	fprintf(out, "\n%-11s %llu, %llu failed\n", "tasks", (unsigned long long)totals->tasks,
		(unsigned long long)totals->failed);
}

static void answer(const struct report *report, const struct report_worker *worker, FILE *out)
{
	unsigned long long connections = 0;

	for (size_t i = 0; i < report->listener_count; i++)
		connections += worker->counts[i].connections;
	fprintf(out, ", %llu connection%s, ", connections, connections == 1 ? "" : "s");
	text_size(out, worker->resident);
	fputs(", Lua ", out);
	text_size(out, worker->totals.lua_bytes);
	fprintf(out, ", lag %.1f ms", (double)worker->lag / 1000);
}

static void worker_row(const struct report *report, size_t i, FILE *out)
{
	const struct report_worker *worker = &report->workers[i];

	fprintf(out, "%-11s %d of generation %d, %s", i ? "" : "workers", worker->number,
		worker->generation, worker->lost ? "given up" : worker->state);
	if (worker->pid) {
		fprintf(out, ", pid %ld, up ", (long)worker->pid);
		text_duration(out, worker->uptime);
	}
	if (worker->restarts)
		fprintf(out, ", %u restart%s", worker->restarts, worker->restarts == 1 ? "" : "s");
	if (worker->answered)
		answer(report, worker, out);
	else if (worker->pid)
		fputs(", does not answer", out);
	fputc('\n', out);
}

static void crew(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->generation_count; i++) {
		const struct report_generation *generation = &report->generations[i];

		fprintf(out, "%-11s %d, %s, %d worker%s\n", i ? "" : "generations", generation->id,
			generation->state, generation->workers,
			generation->workers == 1 ? "" : "s");
	}
	for (size_t i = 0; i < report->worker_count; i++)
		worker_row(report, i, out);
	fprintf(out, "%-11s %u\n", "restarts", report->restarts);
}

static void reload(const struct reload_verdict *last, FILE *out)
{
	char text[32];
	struct tm tm;

	if (!last || !last->at)
		return;
	gmtime_r(&last->at, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	fprintf(out, "%-11s %s: ", "reload", text);
	if (!last->done) {
		fputs("refused in ", out);
		text_duration(out, last->took);
		fputs(": ", out);
	}
	text_line(out, last->text, strlen(last->text));
	fputc('\n', out);
}

void report_text(const struct report *report, FILE *out)
{
	struct life_totals totals;

	report_totals(report, &totals);
	row(out, "name", report->name);
	if (*report->description)
		row(out, "description", report->description);
	fprintf(out, "%-11s %ld\n", "pid", (long)report->pid);
	row(out, "state", report->state);
	fprintf(out, "%-11s ", "uptime");
	text_duration(out, report->uptime);
	fputc('\n', out);
	listeners(report, out);
	memory(report, &totals, out);
	if (report->monitor)
		crew(report, out);
	if (*report->text)
		row(out, "status", report->text);
	if (report->lines_lost)
		fprintf(out, "%-11s %llu of the log\n", "lost",
			(unsigned long long)report->lines_lost);
	reload(report->reload, out);
}
