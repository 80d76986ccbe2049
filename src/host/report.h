#ifndef LUVD_HOST_REPORT_H
#define LUVD_HOST_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "host/reload.h"
#include "plan/daemon.h"
#include "service/life.h"

/* A running daemon at one moment: what `luvd status` prints, for people, as JSON and as metrics. A
 * classic daemon fills it with what it knows of itself, as its own and only worker; a monitor with
 * what its workers answer. Only read here; the filler owns what it points to. */

struct report_listener {
	const char *name;
	const char *address;
};

struct report_worker {
	int number;
	int generation;
	pid_t pid;         /* 0: it has no process */
	const char *state; /* as worker_state_name has it */
	int64_t uptime;    /* milliseconds, of the process */
	unsigned restarts;
	bool lost;     /* given up for good */
	bool answered; /* else what follows is not known */
	struct life_totals totals;
	uint64_t resident; /* bytes; 0: not known */
	/* How long the loop has kept an event waiting, the longest since a status was asked for
	 * before; microseconds. */
	int64_t lag;
	struct life_counts *counts; /* a listener each */
};

struct report_generation {
	int id;
	const char *state;
	int workers; /* that have a process */
};

struct report {
	const char *name, *description, *state;
	pid_t pid;
	int64_t uptime;    /* milliseconds */
	bool monitor;      /* else the one worker is the daemon itself */
	uint64_t resident; /* of the process that answers, bytes; 0: not known */
	int generation;    /* the current one; 0: none yet */
	unsigned restarts; /* of workers */
	const char *text;  /* luvd.status(text); "" */
	const struct report_listener *listeners;
	size_t listener_count;
	struct report_worker *workers;
	size_t worker_count;
	const struct report_generation *generations;
	size_t generation_count;
	const struct reload_verdict *reload;
	uint64_t lines_lost; /* of the log */
};

/* Names and addresses of a process's listeners, of malloc(3); NULL: out of memory. */
struct report_listener *report_listeners(const struct listener *listeners, size_t count);
/* Sums over all workers that have answered. */
void report_totals(const struct report *report, struct life_totals *totals);
struct life_counts report_counts(const struct report *report, size_t listener);
/* Of all processes that are known. */
uint64_t report_resident(const struct report *report);

/* Aligned lines for people. */
void report_text(const struct report *report, FILE *out);
/* One object and a newline; docs/control.md has its names. */
void report_json(const struct report *report, FILE *out);
/* Prometheus' text format, version 0.0.4. */
void report_metrics(const struct report *report, FILE *out);
/* The same of a daemon that does not run, or does not answer. */
void report_metrics_down(const char *name, FILE *out);

#endif
