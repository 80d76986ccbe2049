#include <signal.h>
#include <string.h>

#include "spec/check.h"
#include "spec/kinds.h"
#include "spec/nearest.h"
#include "spec/words.h"

/* --- service: inline, a path, or the name of a module --- */

static void check_inline(struct check *check, const char *path, const struct value *table)
{
	static const char *const required = "start";
	char below[PATH_SHOWN_MAX];

	for (size_t i = 0; i < table->as.table.count; i++) {
		const struct pair *pair = &table->as.table.pairs[i];

		if (pair->key.type != VALUE_STRING || pair->value.type != VALUE_FUNCTION)
			check_expected(check, check_join(below, path, &pair->key), &pair->value,
				       "a function", NULL);
	}
	if (!value_get(table, required)) {
		struct nearest nearest;

		nearest_init(&nearest, required);
		for (size_t i = 0; i < table->as.table.count; i++)
			if (check_text(&table->as.table.pairs[i].key))
				nearest_try(&nearest, check_text(&table->as.table.pairs[i].key));
		check_fail(check, path, table, "the function start is missing%s%s%s",
			   nearest.best ? "; did you mean it by \"" : "",
			   nearest.best ? nearest.best : "", nearest.best ? "\"?" : "");
	}
}

static void put_service(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	struct spec *spec = base;
	const char *text = check_text(value);
	size_t length = text ? strlen(text) : 0;

	if (value->type == VALUE_TABLE) {
		spec->service_kind = SERVICE_INLINE;
		check_inline(check, path, value);
	} else if (!text || !*text) {
		check_expected(check, path, value, field->kind->expected, NULL);
	} else if (strchr(text, '/') || (length > 4 && strcmp(text + length - 4, ".lua") == 0)) {
		spec->service_kind = SERVICE_FILE;
		spec->service = check_path(check, text);
	} else {
		spec->service_kind = SERVICE_MODULE;
		spec->service = arena_text(check->arena, text);
	}
}

/* --- signals --- */

static const struct word *find_signal(const char *name)
{
	return word_find(words_signal, strncmp(name, "SIG", 3) == 0 ? name + 3 : name);
}

static void put_signals(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	const struct field *row = field_below(field->name, "NAME");
	struct spec *spec = base;
	char below[PATH_SHOWN_MAX];

	if (!kind_is_map(check, field, path, value))
		return;
	spec->signals =
	    arena_alloc(check->arena, (value->as.table.count + 1) * sizeof *spec->signals);
	for (size_t i = 0; i < value->as.table.count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		const char *name = check_text(&pair->key);
		const struct word *word = name ? find_signal(name) : NULL;

		check_join(below, path, &pair->key);
		if (!word) {
			check_unknown(check, below, &pair->value, "signal to be caught",
				      name ? word_nearest(words_signal, name) : NULL);
			continue;
		}
		for (size_t k = 0; k < spec->signal_count; k++)
			if (spec->signals[k].number == word->number)
				check_fail(check, below, &pair->value, "given twice");
		spec->signals[spec->signal_count].number = word->number;
		row->kind->put(check, row, below, &spec->signals[spec->signal_count++],
			       &pair->value);
	}
}

/* "service.NAME": an inline service must have that function; of another one it is not known. */
static void put_function(struct check *check, const char *path, struct signal_spec *signal,
			 const struct value *value, const char *name)
{
	const struct value *service = value_get(&check->spec->root, "service");
	struct nearest nearest;

	signal->action = ACTION_SERVICE;
	signal->function = arena_text(check->arena, name);
	if (!service || service->type != VALUE_TABLE || value_get(service, name))
		return;
	nearest_init(&nearest, name);
	for (size_t i = 0; i < service->as.table.count; i++)
		if (check_text(&service->as.table.pairs[i].key))
			nearest_try(&nearest, check_text(&service->as.table.pairs[i].key));
	check_expected(check, path, value, "a function that the service has", nearest.best);
}

static void put_action(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	struct signal_spec *signal = base;
	const char *text = check_text(value);
	const struct word *word = text ? word_find(words_action, text) : NULL;

	if (word)
		signal->action = (enum action)word->number;
	else if (text && strncmp(text, "service.", 8) == 0 && text[8])
		put_function(check, path, signal, value, text + 8);
	else
		check_expected(check, path, value, field->kind->expected,
			       text ? word_nearest(words_action, text) : NULL);
}

/* --- log --- */

static void put_sink(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	struct spec *spec = base;
	const char *text = check_text(value);
	const struct word *word = text ? word_find(words_sink, text) : NULL;

	if (word) {
		spec->log.to = (enum sink_kind)word->number;
	} else if (text && strchr(text, '/')) {
		spec->log.to = SINK_FILE;
		spec->log.path = check_path(check, text);
	} else {
		check_expected(check, path, value, field->kind->expected,
			       text ? word_nearest(words_sink, text) : NULL);
	}
}

static void put_level(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	int level = check_word(check, field, path, value, words_level);

	if (level >= 0)
		((struct spec *)base)->log.level = (enum log_level)level;
}

static void put_format(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	((struct spec *)base)->log.json = check_word(check, field, path, value, words_format) == 1;
}

static void put_facility(struct check *check, const struct field *field, const char *path,
			 void *base, const struct value *value)
{
	int facility = check_word(check, field, path, value, words_facility);

	if (facility >= 0)
		((struct spec *)base)->log.facility = facility;
}

const struct kind kind_service = {
    .name = "module, path or table of functions",
    .expected = "a module's name, a path such as \"./room.lua\" or a table of functions",
    .put = put_service,
};
const struct kind kind_signals = {
    .name = "table of actions",
    .expected = "a table such as { USR2 = \"reload\" }",
    .put = put_signals,
    .map = true,
};
const struct kind kind_action = {
    .name = "action",
    .expected = "\"reload\", \"reopen\", \"upgrade\", \"stop\", \"stop-now\", \"ignore\" or "
		"\"service.NAME\"",
    .put = put_action,
};
const struct kind kind_log = {
    .name = "sink or table",
    .expected = "\"stderr\", \"stdout\", \"syslog\", \"journal\", a path or a table",
    .shorthand = "to",
    .put = kind_put_group,
    .group = true,
};
const struct kind kind_sink = {
    .name = "sink",
    .expected = "\"stderr\", \"stdout\", \"syslog\", \"journal\" or a path with a \"/\"",
    .put = put_sink,
};
const struct kind kind_level = {
    .name = "level",
    .expected = "\"debug\", \"info\", \"warn\" or \"error\"",
    .put = put_level,
};
const struct kind kind_format = {
    .name = "\"text\" or \"json\"", .expected = "\"text\" or \"json\"", .put = put_format};
const struct kind kind_facility = {
    .name = "syslog facility",
    .expected = "a facility of syslog such as \"daemon\" or \"local0\"",
    .put = put_facility,
};
