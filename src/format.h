#ifndef LUVD_FORMAT_H
#define LUVD_FORMAT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "colour.h"
#include "spec/spec.h"
#include "text.h"

/* How an entry of the log becomes bytes. */

enum form {
	FORM_TEXT,     /* 2026-11-22T13:40:05.123Z info  echo[4711]: message key=value */
	FORM_TERMINAL, /* 13:40:05.123 info  echo[4711]     message key=value */
	FORM_JSON,     /* one object a line */
	FORM_STREAM,   /* stderr that is the journal: "<6>message key=value", sd-daemon(3) */
	FORM_SYSLOG,   /* RFC 3164 without a host name, a line each: a datagram each */
	FORM_JOURNAL   /* one datagram, https://systemd.io/JOURNAL_NATIVE_PROTOCOL */
};

struct format {
	enum form form;
	bool coloured; /* FORM_TERMINAL */
	bool json;     /* FORM_STREAM, FORM_SYSLOG: the message is a JSON object */
	const char *name;
	pid_t pid;
	int facility; /* FORM_SYSLOG */
};

struct entry {
	struct timespec time; /* CLOCK_REALTIME */
	enum log_level level;
	const char *message;
	size_t length;
	const char *more; /* what a terminal is shown in the message's place; NULL: the message */
	const struct log_field *fields;
	size_t count;
	pid_t pid;      /* of the worker that logs; 0: the format's */
	uint64_t lines; /* that this one tells of, which are lost when it is; 0: only itself */
	size_t cut;     /* bytes of the message that were left out before */
	size_t limit;   /* bytes of the message and of each field that are shown; 0: all */
};

enum {
	FORMAT_TIME_MAX = 32,
	ENTRY_SHOWN_MAX = 16384 /* no line shows more of a message or a field */
};

/* "2026-11-22T13:40:05.123Z"; async-signal-safe. */
const char *format_time(char text[FORMAT_TIME_MAX], const struct timespec *time);
const char *format_level(enum log_level level); /* "warn" */
enum colour format_colour(enum log_level level);
int format_priority(enum log_level level); /* LOG_WARNING of syslog(3) */

/* "3 lines were lost: no space left on device"; returns its length, at most size - 1. */
size_t format_loss(char *text, size_t size, uint64_t lost, const char *reason);

/* Writes the whole entry with its newline (none after FORM_JOURNAL). */
void format_entry(FILE *out, const struct format *format, const struct entry *entry);
/* The same as bytes that the caller frees, with a 0 behind them; NULL: memory is out. */
char *format_bytes(const struct format *format, const struct entry *entry, size_t *length);

#endif
