#ifndef LUVD_UNIT_UNIT_H
#define LUVD_UNIT_UNIT_H

#include <stdio.h>

#include "plan/daemon.h"

/* What starts a daemon file where luvd is not the one who is asked: units and scripts of service
 * managers, and the stanza of logrotate. Everything here is text from a resolved spec; the machine
 * is read for nothing but what it may do. */

struct unit {
	const struct daemon *daemon; /* spec resolved; source.sets are kept in what is printed */
	const char *program;         /* luvd's own absolute path */
};

struct unit_form {
	const char *name; /* "systemd": what --for takes */
	bool background;  /* it is for luvd start, not run */
	/* -1 when it cannot be written: nothing that is printed is of use then. */
	int (*print)(const struct unit *unit, FILE *out, struct err *err);
};

extern const struct unit_form unit_forms[]; /* the first is the default; ends with a NULL name */

/* The row of a name, NULL: the default. NULL with EXIT_USAGE and all names in err. */
const struct unit_form *unit_form_find(const char *name, struct err *err);

/* Prints it, unless a path is such that hardly a format holds it: one with control characters. */
int unit_print(const struct unit_form *form, const struct unit *unit, FILE *out, struct err *err);

int unit_systemd(const struct unit *unit, FILE *out, struct err *err);
int unit_rcd(const struct unit *unit, FILE *out, struct err *err);
int unit_s6(const struct unit *unit, FILE *out, struct err *err);
int unit_runit(const struct unit *unit, FILE *out, struct err *err);
int unit_logrotate(const struct unit *unit, FILE *out, struct err *err);

#endif
