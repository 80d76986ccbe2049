#include <string.h>
#include <time.h>

#include "host/report.h"
#include "text.h"

static void string(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":", key);
	text_json(out, text, strlen(text));
}

/* UTC, RFC 3339. */
static void moment(FILE *out, const char *key, time_t at)
{
	char text[32];
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	string(out, key, text);
}

static void listeners(const struct report *report, const struct report_worker *worker, FILE *out)
{
	fputs("\"listeners\":[", out);
	for (size_t i = 0; i < report->listener_count; i++) {
		struct life_counts counts = worker ? worker->counts[i] : report_counts(report, i);

		fputs(i ? ",{" : "{", out);
		string(out, "name", report->listeners[i].name);
		fputc(',', out);
		string(out, "address", report->listeners[i].address);
		fprintf(out, ",\"connections\":%llu,\"accepted\":%llu}",
			(unsigned long long)counts.connections,
			(unsigned long long)counts.accepted);
	}
	fputc(']', out);
}

static void lua(const struct life_totals *totals, FILE *out)
{
	fprintf(out, "\"lua\":{\"memory\":%zu,\"tasks\":%llu,\"failed\":%llu}", totals->lua_bytes,
		(unsigned long long)totals->tasks, (unsigned long long)totals->failed);
}

static void answer(const struct report *report, const struct report_worker *worker, FILE *out)
{
	fprintf(out, ",\"memory\":%llu,", (unsigned long long)worker->resident);
	lua(&worker->totals, out);
	fprintf(out, ",\"lag\":%.6f,", (double)worker->lag / 1e6);
	listeners(report, worker, out);
}

static void workers(const struct report *report, FILE *out)
{
	fputs("\"workers\":[", out);
	for (size_t i = 0; i < report->worker_count; i++) {
		const struct report_worker *worker = &report->workers[i];

		fprintf(out, "%s{\"number\":%d,\"generation\":%d,", i ? "," : "", worker->number,
			worker->generation);
		if (worker->pid)
			fprintf(out, "\"pid\":%ld,", (long)worker->pid);
		string(out, "state", worker->state);
		fprintf(out, ",\"uptime\":%.3f,\"restarts\":%u,\"lost\":%s,\"answered\":%s",
			(double)worker->uptime / 1000, worker->restarts,
			worker->lost ? "true" : "false", worker->answered ? "true" : "false");
		if (worker->answered)
			answer(report, worker, out);
		fputc('}', out);
	}
	fputc(']', out);
}

static void generations(const struct report *report, FILE *out)
{
	fputs("\"generations\":[", out);
	for (size_t i = 0; i < report->generation_count; i++) {
		const struct report_generation *generation = &report->generations[i];

		fprintf(out, "%s{\"id\":%d,", i ? "," : "", generation->id);
		string(out, "state", generation->state);
		fprintf(out, ",\"workers\":%d}", generation->workers);
	}
	fputc(']', out);
}

static void reload(const struct reload_verdict *last, FILE *out)
{
	if (!last || !last->at) {
		fputs("\"reload\":null", out);
		return;
	}
	fputs("\"reload\":{", out);
	moment(out, "time", last->at);
	fprintf(out, ",\"ok\":%s,\"milliseconds\":%lld,\"accepted\":%llu,\"refused\":%llu,",
		last->done ? "true" : "false", (long long)last->took,
		(unsigned long long)last->accepted, (unsigned long long)last->refused);
	string(out, "text", last->text);
	fputc('}', out);
}

void report_json(const struct report *report, FILE *out)
{
	struct life_totals totals;

	report_totals(report, &totals);
	fputc('{', out);
	string(out, "name", report->name);
	fputc(',', out);
	string(out, "description", report->description);
	fprintf(out, ",\"pid\":%ld,", (long)report->pid);
	string(out, "state", report->state);
	fprintf(out, ",\"uptime\":%.3f,", (double)report->uptime / 1000);
	listeners(report, NULL, out);
	fprintf(out, ",\"memory\":%llu,", (unsigned long long)report_resident(report));
	if (report->monitor)
		fprintf(out, "\"monitor\":{\"memory\":%llu},",
			(unsigned long long)report->resident);
	lua(&totals, out);
	fputc(',', out);
	if (*report->text) {
		string(out, "status", report->text);
		fputc(',', out);
	}
	fprintf(out, "\"restarts\":%u,\"generation\":%d,", report->restarts, report->generation);
	generations(report, out);
	fputc(',', out);
	workers(report, out);
	fprintf(out, ",\"lines_lost\":%llu,", (unsigned long long)report->lines_lost);
	reload(report->reload, out);
	fputs("}\n", out);
}
