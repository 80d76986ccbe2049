#include "format.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

enum { PID_WIDTH = 9 /* "[4194304]", the largest of Linux */ };

static const char indent[] = "    ";

const char *format_level(enum log_level level)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	return names[level];
}

enum colour format_colour(enum log_level level)
{
	static const enum colour colours[] = {COLOUR_DIM, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED};

	return colours[level];
}

int format_priority(enum log_level level)
{
	static const int priorities[] = {LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};

	return priorities[level];
}

static char *digits(char *text, unsigned number, int count)
{
	for (int i = count; i-- > 0; number /= 10)
		text[i] = (char)('0' + number % 10);
	return text + count;
}

/* Years counted from March, so that the leap day is the last of its year: gmtime(3) takes a lock
 * and must not be called from a signal handler. */
static void civil(int64_t days, int *year, unsigned *month, unsigned *day)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
	unsigned of_era = (unsigned)(shifted - era * 146097);
	unsigned years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * years + years / 4 - years / 100);
	unsigned from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (int)(years + era * 400) + (*month <= 2);
}

const char *format_time(char text[FORMAT_TIME_MAX], const struct timespec *time)
{
	int64_t seconds = time->tv_sec;
	unsigned second = (unsigned)(seconds % 86400);
	unsigned month, day;
	int year;
	char *p = text;

	civil(seconds / 86400, &year, &month, &day);
	p = digits(p, (unsigned)year, 4);
	*p++ = '-';
	p = digits(p, month, 2);
	*p++ = '-';
	p = digits(p, day, 2);
	*p++ = 'T';
	p = digits(p, second / 3600, 2);
	*p++ = ':';
	p = digits(p, second / 60 % 60, 2);
	*p++ = ':';
	p = digits(p, second % 60, 2);
	*p++ = '.';
	p = digits(p, (unsigned)(time->tv_nsec / 1000000), 3);
	*p++ = 'Z';
	*p = 0;
	return text;
}

size_t format_loss(char *text, size_t size, uint64_t lost, const char *reason)
{
	int length = snprintf(text, size, "%llu line%s lost: %s", (unsigned long long)lost,
			      lost == 1 ? " was" : "s were", reason);

	return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

static pid_t pid_of(const struct format *format, const struct entry *entry)
{
	return entry->pid ? entry->pid : format->pid;
}

static size_t shown(const struct entry *entry, size_t length)
{
	return entry->limit && length > entry->limit ? entry->limit : length;
}

/* A value of a text line: bare when a reader can tell where it ends, else as a JSON string. */
static void bare_or_quoted(FILE *out, const char *bytes, size_t length)
{
	bool bare = length > 0;

	for (size_t i = 0; bare && i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];

		bare = c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
	}
	if (bare)
		fwrite(bytes, 1, length, out);
	else
		text_json(out, bytes, length);
}

/* What was left out of the message. */
static size_t cut(const struct entry *entry)
{
	return entry->cut + entry->length - shown(entry, entry->length);
}

static void text_value(FILE *out, const struct entry *entry, const struct log_field *field)
{
	if (field->raw && field->length <= shown(entry, field->length))
		fwrite(field->bytes, 1, field->length, out);
	else
		bare_or_quoted(out, field->bytes, shown(entry, field->length));
}

static void text_fields(FILE *out, const struct entry *entry, bool coloured)
{
	for (size_t i = 0; i < entry->count; i++) {
		const struct log_field *field = &entry->fields[i];

		fprintf(out, " %s", colour_begin(coloured, COLOUR_DIM));
		bare_or_quoted(out, field->key, strlen(field->key));
		fprintf(out, "=%s", colour_begin(coloured, COLOUR_NONE));
		text_value(out, entry, field);
	}
	if (cut(entry))
		fprintf(out, " %scut=%s%zu", colour_begin(coloured, COLOUR_DIM),
			colour_begin(coloured, COLOUR_NONE), cut(entry));
}

enum fields { FIELDS_NONE, FIELDS_PLAIN, FIELDS_COLOURED };

/* The first line with the fields, then a line for each that follows, begun by between: what a
 * message says can thus never look like a line of its own. */
static void text_body(FILE *out, const struct entry *entry, const char *between, enum fields fields)
{
	const char *p = entry->message;
	const char *end = p + shown(entry, entry->length);

	while (end > p && end[-1] == '\n')
		end--;
	for (bool first = true;; first = false) {
		const char *line = memchr(p, '\n', (size_t)(end - p));
		const char *stop = line ? line : end;

		for (; !first && p < stop && *p == '\t'; p++)
			fputs(indent, out);
		text_line(out, p, (size_t)(stop - p));
		if (first && fields != FIELDS_NONE)
			text_fields(out, entry, fields == FIELDS_COLOURED);
		if (!line)
			return;
		fputs(between, out);
		p = line + 1;
	}
}

static void put_text(FILE *out, const struct format *format, const struct entry *entry)
{
	char time[FORMAT_TIME_MAX];

	fprintf(out, "%s %-5s %s[%ld]: ", format_time(time, &entry->time),
		format_level(entry->level), format->name, (long)pid_of(format, entry));
	text_body(out, entry, "\n    ", FIELDS_PLAIN);
	fputc('\n', out);
}

/* The time of day here, and the message at the same column in every line of a daemon. */
static void put_terminal(FILE *out, const struct format *format, const struct entry *entry)
{
	const char *none = colour_begin(format->coloured, COLOUR_NONE);
	struct entry told = *entry;
	struct tm tm = {0};
	int width;

	if (entry->more) {
		told.message = entry->more;
		told.length = strlen(entry->more);
	}
	localtime_r(&entry->time.tv_sec, &tm);
	fprintf(out, "%s%02d:%02d:%02d.%03d%s %s%-5s%s %s",
		colour_begin(format->coloured, COLOUR_DIM), tm.tm_hour, tm.tm_min, tm.tm_sec,
		(int)(entry->time.tv_nsec / 1000000), none,
		colour_begin(format->coloured, format_colour(entry->level)),
		format_level(entry->level), none, colour_begin(format->coloured, COLOUR_DIM));
	width = fprintf(out, "%s[%ld]", format->name, (long)pid_of(format, entry));
	fprintf(out, "%s%*s ", none, (int)strlen(format->name) + PID_WIDTH - width, "");
	text_body(out, &told, "\n    ", format->coloured ? FIELDS_COLOURED : FIELDS_PLAIN);
	fputc('\n', out);
}

/* The keys that every object has; a field of the same name gets a "_" behind it. */
static bool reserved(const char *key)
{
	static const char *const keys[] = {"time", "level", "name", "pid", "message", "cut"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void json_field(FILE *out, const struct entry *entry, const struct log_field *field)
{
	char key[80];

	snprintf(key, sizeof key, "%s%s", field->key, reserved(field->key) ? "_" : "");
	fputc(',', out);
	text_json(out, key, strlen(key));
	fputc(':', out);
	if (field->raw && field->length <= shown(entry, field->length))
		fwrite(field->bytes, 1, field->length, out);
	else
		text_json(out, field->bytes, shown(entry, field->length));
}

static void put_json(FILE *out, const struct format *format, const struct entry *entry)
{
	char time[FORMAT_TIME_MAX];

	fprintf(out, "{\"time\":\"%s\",\"level\":\"%s\",\"name\":", format_time(time, &entry->time),
		format_level(entry->level));
	text_json(out, format->name, strlen(format->name));
	fprintf(out, ",\"pid\":%ld,\"message\":", (long)pid_of(format, entry));
	text_json(out, entry->message, shown(entry, entry->length));
	for (size_t i = 0; i < entry->count; i++)
		json_field(out, entry, &entry->fields[i]);
	if (cut(entry))
		fprintf(out, ",\"cut\":%zu", cut(entry));
	fputs("}\n", out);
}

/* Each line begins with the head: what reads the stream or the datagrams knows lines only. */
static void put_headed(FILE *out, const struct format *format, const struct entry *entry,
		       const char *head)
{
	char between[160];

	fputs(head, out);
	if (format->json) {
		put_json(out, format, entry);
		return;
	}
	snprintf(between, sizeof between, "\n%s%s", head, indent);
	text_body(out, entry, between, FIELDS_PLAIN);
	fputc('\n', out);
}

static void put_stream(FILE *out, const struct format *format, const struct entry *entry)
{
	char head[8];

	snprintf(head, sizeof head, "<%d>", format_priority(entry->level));
	put_headed(out, format, entry, head);
}

static void put_syslog(FILE *out, const struct format *format, const struct entry *entry)
{
	/* English month names whatever the locale: RFC 3164 */
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	char head[128];
	struct tm tm = {0};

	localtime_r(&entry->time.tv_sec, &tm);
	snprintf(head, sizeof head, "<%d>%s %2d %02d:%02d:%02d %.64s[%ld]: ",
		 format->facility | format_priority(entry->level), months[tm.tm_mon % 12],
		 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, format->name,
		 (long)pid_of(format, entry));
	put_headed(out, format, entry, head);
}

/* "KEY=value\n", or, when the value has newlines, KEY, its length as 64 bits little endian and the
 * bytes. */
static void journal_pair(FILE *out, const char *key, const char *bytes, size_t length)
{
	fputs(key, out);
	if (memchr(bytes, '\n', length)) {
		fputc('\n', out);
		for (int i = 0; i < 8; i++)
			fputc((int)((uint64_t)length >> (8 * i) & 0xFF), out);
	} else {
		fputc('=', out);
	}
	fwrite(bytes, 1, length, out);
	fputc('\n', out);
}

/* "peer.port" becomes LUVD_PEER_PORT; at most 64 characters, capitals, digits and "_". */
static void journal_key(char key[65], const char *name)
{
	size_t n = strlen("LUVD_");

	memcpy(key, "LUVD_", n);
	for (; *name && n < 64; name++)
		key[n++] =
		    isalnum((unsigned char)*name) ? (char)toupper((unsigned char)*name) : '_';
	key[n] = 0;
}

static void journal_message(FILE *out, const struct entry *entry)
{
	char *bytes = NULL;
	size_t length = 0;
	FILE *message = open_memstream(&bytes, &length);

	if (!message)
		return;
	text_body(message, entry, "\n", FIELDS_NONE);
	if (fclose(message) == 0)
		journal_pair(out, "MESSAGE", bytes, length);
	free(bytes);
}

static void put_journal(FILE *out, const struct format *format, const struct entry *entry)
{
	char key[65];

	fprintf(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nSYSLOG_PID=%ld\n",
		format_priority(entry->level), format->name, (long)pid_of(format, entry));
	for (size_t i = 0; i < entry->count; i++) {
		const struct log_field *field = &entry->fields[i];

		journal_key(key, field->key);
		journal_pair(out, key, field->bytes, shown(entry, field->length));
	}
	journal_message(out, entry);
}

void format_entry(FILE *out, const struct format *format, const struct entry *entry)
{
	static void (*const puts[])(FILE *, const struct format *, const struct entry *) = {
	    [FORM_TEXT] = put_text,     [FORM_TERMINAL] = put_terminal,
	    [FORM_JSON] = put_json,     [FORM_STREAM] = put_stream,
	    [FORM_SYSLOG] = put_syslog, [FORM_JOURNAL] = put_journal,
	};

	puts[format->form](out, format, entry);
}

char *format_bytes(const struct format *format, const struct entry *entry, size_t *length)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, length);

	if (!out)
		return NULL;
	format_entry(out, format, entry);
	if (fclose(out) == 0)
		return bytes;
	free(bytes);
	return NULL;
}
