#ifndef LUVD_UNIT_LINES_H
#define LUVD_UNIT_LINES_H

#include "unit/unit.h"

/* Command lines of luvd as scripts of a shell have them. */

/* "'luvd' COMMAND 'FILE'", and its --set when sets. */
void line_shell(const struct unit *unit, const char *command, bool sets, FILE *out);

#endif
