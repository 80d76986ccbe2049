#include "service/sim_state.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format.h"

/* The log of a simulated daemon: the lines that a sink would have got, kept in memory. */

enum { LOG_MAX = 64 << 20 };

void sim_tell(struct sim *sim)
{
	if (sim->calls.changed)
		sim->calls.changed(sim->calls.data);
}

static bool make_room(struct sim *sim, size_t length)
{
	size_t room = sim->log_room ? sim->log_room : 4096;
	char *grown;

	while (room < sim->log_length + length)
		room *= 2;
	if (room == sim->log_room)
		return true;
	grown = room <= LOG_MAX ? realloc(sim->log, room) : NULL;
	if (!grown)
		return false; /* the line is lost: a test that logs so much has failed */
	sim->log = grown;
	sim->log_room = room;
	return true;
}

void sim_write(struct sim *sim, enum log_level level, const char *message, size_t length,
	       const struct log_field *fields, size_t count)
{
	const struct spec *spec = sim_spec(sim);
	int64_t wall = sim_wall(sim);
	struct format format = {.form = spec && spec->log.json ? FORM_JSON : FORM_TEXT,
				.name = spec ? spec->name : "",
				.pid = getpid()};
	struct entry entry = {.time = {wall / 1000, wall % 1000 * 1000000},
			      .level = level,
			      .message = message,
			      .length = length,
			      .fields = fields,
			      .count = count,
			      .limit = ENTRY_SHOWN_MAX};
	char *text;
	size_t size;

	if (level < sim->level)
		return;
	text = format_bytes(&format, &entry, &size);
	if (!text)
		return;
	if (make_room(sim, size)) {
		memcpy(sim->log + sim->log_length, text, size);
		sim->log_length += size;
	}
	free(text);
	sim_tell(sim);
}

void sim_printf(struct sim *sim, enum log_level level, const char *format, ...)
{
	char text[2200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	sim_write(sim, level, text, strlen(text), NULL, 0);
}

const char *sim_log(const struct sim *sim, size_t *length)
{
	*length = sim->log_length;
	return sim->log ? sim->log : "";
}
