#include "host/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/memory.h"

static int64_t uptime_ms(const struct status *status)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)(now.tv_sec - status->since.tv_sec) * 1000 +
	       (now.tv_nsec - status->since.tv_nsec) / 1000000;
}

/* UTC, RFC 3339. */
static const char *moment(time_t at, char text[32])
{
	struct tm tm;

	gmtime_r(&at, &tm);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return text;
}

static void json_string(FILE *out, const char *key, const char *text)
{
	fprintf(out, "\"%s\":", key);
	text_json(out, text, strlen(text));
}

/* --- JSON --- */

static void json_listeners(const struct daemon *daemon, const struct life_counts *counts, FILE *out)
{
	fputs("\"listeners\":[", out);
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct listener *listener = &daemon->listeners[i];

		fputs(i ? ",{" : "{", out);
		json_string(out, "name", listener->listen->name);
		fputc(',', out);
		json_string(out, "address", listener->actual);
		fprintf(out, ",\"connections\":%llu,\"accepted\":%llu}",
			(unsigned long long)counts[i].connections,
			(unsigned long long)counts[i].accepted);
	}
	fputs("],", out);
}

static void json_reload(const struct reload_verdict *last, FILE *out)
{
	char text[32];

	if (!last->at) {
		fputs("\"reload\":null", out);
		return;
	}
	fputs("\"reload\":{", out);
	json_string(out, "time", moment(last->at, text));
	fprintf(out, ",\"ok\":%s,", last->done ? "true" : "false");
	json_string(out, "text", last->text);
	fputc('}', out);
}

static void print_json(const struct status *status, const struct life_counts *counts,
		       const struct life_totals *totals, FILE *out)
{
	const struct daemon *daemon = status->daemon;

	fputc('{', out);
	json_string(out, "name", daemon->spec->name);
	fputc(',', out);
	json_string(out, "description", daemon->spec->description);
	fprintf(out, ",\"pid\":%ld,", (long)getpid());
	json_string(out, "state", status->state);
	fprintf(out, ",\"uptime\":%.3f,", (double)uptime_ms(status) / 1000);
	json_listeners(daemon, counts, out);
	fprintf(out, "\"memory\":%zu,\"lua\":{\"memory\":%zu,\"tasks\":%llu,\"failed\":%llu},",
		memory_resident(daemon), totals->lua_bytes, (unsigned long long)totals->tasks,
		(unsigned long long)totals->failed);
	if (*status->text) {
		json_string(out, "status", status->text);
		fputc(',', out);
	}
	json_reload(reload_last(status->reload), out);
	fputs("}\n", out);
}

/* --- text --- */

static void text_row(FILE *out, const char *key, const char *text)
{
	fprintf(out, "%-11s ", key);
	text_line(out, text, strlen(text));
	fputc('\n', out);
}

static void text_listeners(const struct daemon *daemon, const struct life_counts *counts, FILE *out)
{
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct listener *listener = &daemon->listeners[i];

		fprintf(out, "%-11s %s %s, %llu connection%s, %llu accepted\n",
			i ? "" : "listeners", listener->listen->name, listener->actual,
			(unsigned long long)counts[i].connections,
			counts[i].connections == 1 ? "" : "s",
			(unsigned long long)counts[i].accepted);
	}
}

static void text_reload(const struct reload_verdict *last, FILE *out)
{
	char text[32];

	if (!last->at)
		return;
	fprintf(out, "%-11s %s, %s: ", "reload", moment(last->at, text),
		last->done ? "done" : "refused");
	text_line(out, last->text, strlen(last->text));
	fputc('\n', out);
}

static void print_text(const struct status *status, const struct life_counts *counts,
		       const struct life_totals *totals, FILE *out)
{
	const struct daemon *daemon = status->daemon;

	text_row(out, "name", daemon->spec->name);
	if (*daemon->spec->description)
		text_row(out, "description", daemon->spec->description);
	fprintf(out, "%-11s %ld\n", "pid", (long)getpid());
	text_row(out, "state", status->state);
	fprintf(out, "%-11s ", "uptime");
	text_duration(out, uptime_ms(status));
	fputc('\n', out);
	text_listeners(daemon, counts, out);
	fprintf(out, "%-11s ", "memory");
	text_size(out, memory_resident(daemon));
	fputs(", Lua ", out);
	text_size(out, totals->lua_bytes);
	fprintf(out, "\n%-11s %llu, %llu failed\n", "tasks", (unsigned long long)totals->tasks,
		(unsigned long long)totals->failed);
	if (*status->text)
		text_row(out, "status", status->text);
	text_reload(reload_last(status->reload), out);
}

void status_print(const struct status *status, bool json, FILE *out)
{
	size_t count = status->daemon->listener_count;
	struct life_counts *counts = calloc(count + 1, sizeof *counts);
	struct life_totals totals = {0};

	if (!counts)
		return;
	life_count(status->life, counts, &totals);
	if (json)
		print_json(status, counts, &totals, out);
	else
		print_text(status, counts, &totals, out);
	free(counts);
}
