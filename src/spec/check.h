#ifndef LUVD_SPEC_CHECK_H
#define LUVD_SPEC_CHECK_H

#include "err.h"
#include "spec/arena.h"
#include "spec/fields.h"
#include "spec/spec.h"

/* One walk over the table of the daemon file that fills struct spec and finds every error. */
struct check {
	struct spec *spec; /* root and source are there already */
	struct arena *arena;
	struct errs *errs;
	const char *folder; /* of the daemon file, absolute: where relative paths start */
};

enum { PATH_SHOWN_MAX = 256 };

/* Fills spec from spec->root. All errors go to errs; defaults stand where a key is absent. */
void check_spec(struct check *check);

/* The rows below prefix ("" for the top, "listen.NAME", "timeouts") for one table. path is the
 * table's own key path, base the struct that the rows' offsets count from. */
void check_table(struct check *check, const char *prefix, const char *path, void *base,
		 const struct value *table);
/* Only those of the rows below prefix that table does not name: their defaults. */
void check_defaults(struct check *check, const char *prefix, const char *path, void *base,
		    const struct value *table);

/* "path.key" in a buffer of PATH_SHOWN_MAX bytes. */
const char *check_join(char *to, const char *path, const struct value *key);

/* An error at path; value, when not NULL, knows its line better. */
struct err *check_at(struct check *check, const char *path, const struct value *value);
void check_fail(struct check *check, const char *path, const struct value *value,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "expected WANTED, got VALUE", and the nearest right name when there is one. */
void check_expected(struct check *check, const char *path, const struct value *value,
		    const char *wanted, const char *nearest);

/* "no such WHAT, got VALUE", and the nearest right name when there is one. */
void check_unknown(struct check *check, const char *path, const struct value *value,
		   const char *what, const char *nearest);

/* The text of a string value that holds no 0 byte and no control character; else NULL. */
const char *check_text(const struct value *value);
struct word;
/* The number of a word of a list, or -1 after an error. */
int check_word(struct check *check, const struct field *field, const char *path,
	       const struct value *value, const struct word *words);
/* Absolute, relative ones from the daemon file's folder, without "./" in front. */
char *check_path(struct check *check, const char *path);

#endif
