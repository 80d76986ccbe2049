#ifndef LUVD_UNIT_SPEC_FIXTURE_H
#define LUVD_UNIT_SPEC_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spec/spec.h"

/* A folder of its own with daemon files, read as an ordinary user would, on a made-up machine. */
struct fixture {
	char folder[64];
	char path[128]; /* of main.lua */
	struct source source;
	struct spec *spec;
	struct errs errs;
};

int fixture_setup(void **state);
int fixture_teardown(void **state); /* removes the folder */

/* Writes a file below the folder; folders in name are made. */
void fixture_write(struct fixture *fixture, const char *name, const char *text);
/* Reads main.lua; sets: "KEY=VALUE" arguments, NULL-terminated, or NULL. */
int fixture_load(struct fixture *fixture, char **sets);
/* Writes main.lua and reads it: it has to be right. */
struct spec *fixture_right(struct fixture *fixture, const char *text);
/* It has to be wrong, and its first error's text this. */
void fixture_wrong(struct fixture *fixture, const char *text, const char *expected);
/* Frees spec and errors of the last reading. */
void fixture_forget(struct fixture *fixture);

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)

#endif
