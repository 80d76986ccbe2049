#include "host/report.h"

#include <stdlib.h>

struct report_listener *report_listeners(const struct listener *listeners, size_t count)
{
	struct report_listener *list = calloc(count + 1, sizeof *list);

	for (size_t i = 0; list && i < count; i++)
		list[i] = (struct report_listener){listeners[i].listen->name, listeners[i].actual};
	return list;
}

void report_totals(const struct report *report, struct life_totals *totals)
{
	*totals = (struct life_totals){0};
	for (size_t i = 0; i < report->worker_count; i++) {
		const struct life_totals *one = &report->workers[i].totals;

		if (!report->workers[i].answered)
			continue;
		totals->lua_bytes += one->lua_bytes;
		totals->tasks += one->tasks;
		totals->failed += one->failed;
	}
}

struct life_counts report_counts(const struct report *report, size_t listener)
{
	struct life_counts sum = {0};

	for (size_t i = 0; i < report->worker_count; i++) {
		const struct report_worker *worker = &report->workers[i];

		if (!worker->answered)
			continue;
		sum.connections += worker->counts[listener].connections;
		sum.accepted += worker->counts[listener].accepted;
	}
	return sum;
}

uint64_t report_resident(const struct report *report)
{
	uint64_t sum = report->resident;

	for (size_t i = 0; report->monitor && i < report->worker_count; i++)
		sum += report->workers[i].resident;
	return sum;
}
