#include <stdio.h>
#include <string.h>

#include "spec/check.h"
#include "spec/kinds.h"
#include "spec/words.h"

/* Workers: how many there are, and what becomes of those that die. */

enum { CODE_LEAST = 1, CODE_MOST = 255 };

static void put_workers(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	struct spec *spec = base;
	const char *text = check_text(value);

	if (text && strcmp(text, "auto") == 0)
		spec->workers = WORKERS_AUTO;
	else if (value->type == VALUE_INTEGER && value->as.integer >= 0 &&
		 value->as.integer <= field->most)
		spec->workers = (int)value->as.integer;
	else
		check_expected(check, path, value, field->kind->expected, text ? "auto" : NULL);
}

static void put_policy(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	int policy = check_word(check, field, path, value, words_policy);

	if (policy >= 0)
		((struct spec *)base)->restart.policy = (enum restart_policy)policy;
}

static void put_over(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	int over = check_word(check, field, path, value, words_over);

	if (over >= 0)
		((struct spec *)base)->restart.over = (enum restart_over)over;
}

static void put_codes(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	struct restart_spec *restart = &((struct spec *)base)->restart;
	int64_t count = value_list(value);

	if (count < 0) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	restart->final_codes =
	    arena_alloc(check->arena, ((size_t)count + 1) * sizeof *restart->final_codes);
	for (int64_t i = 0; i < count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		char below[PATH_SHOWN_MAX];

		if (pair->value.type == VALUE_INTEGER && pair->value.as.integer >= CODE_LEAST &&
		    pair->value.as.integer <= CODE_MOST)
			restart->final_codes[restart->final_code_count++] =
			    (int)pair->value.as.integer;
		else
			check_expected(check, check_join(below, path, &pair->key), &pair->value,
				       "an exit code from 1 to 255", NULL);
	}
}

/* A pause that may not grow to what it begins with says two things at once. */
static void put_restart(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	const struct restart_spec *restart = &((struct spec *)base)->restart;
	size_t before = check->errs->count;

	kind_put_group(check, field, path, base, value);
	if (check->errs->count == before && restart->backoff > restart->backoff_limit)
		check_fail(check, "restart.backoff", value_get(value, "backoff"),
			   "longer than restart.backoff_limit");
}

/* After all rows are put: workers may come after listen. */
void kind_check_workers(struct check *check)
{
	const struct spec *spec = check->spec;

	for (size_t i = 0; spec->workers == 0 && i < spec->listen_count; i++) {
		char path[PATH_SHOWN_MAX];

		snprintf(path, sizeof path, "listen.%s.reuseport", spec->listens[i].name);
		if (spec->listens[i].reuseport)
			check_fail(check, path, NULL,
				   "a socket for each worker needs workers, and the classic daemon "
				   "(workers = 0) has none");
	}
}

const struct kind kind_workers = {
    .name = "number or \"auto\"",
    .expected = "a whole number from 0 to 1024 or \"auto\"",
    .put = put_workers,
};
const struct kind kind_restart = {
    .name = "policy or table",
    .expected = "\"always\", \"on-failure\", \"never\" or a table such as "
		"{ policy = \"always\", limit = 10 }",
    .shorthand = "policy",
    .put = put_restart,
    .group = true,
};
const struct kind kind_policy = {
    .name = "\"always\", \"on-failure\" or \"never\"",
    .expected = "\"always\", \"on-failure\" or \"never\"",
    .put = put_policy,
};
const struct kind kind_over = {
    .name = "\"stop\" or \"go-on\"",
    .expected = "\"stop\" or \"go-on\"",
    .put = put_over,
};
const struct kind kind_codes = {
    .name = "list of exit codes",
    .expected = "a list of exit codes such as { 2, 78 }",
    .put = put_codes,
};
