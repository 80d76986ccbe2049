#ifndef LUVD_SPEC_MARKS_H
#define LUVD_SPEC_MARKS_H

/* The marks of sys.h, read from its comments. */

enum mark { MARK_NONE, MARK_REQUIRED, MARK_OPTIONAL, MARK_IGNORED };

/* Of the function called name ("sys_open"); MARK_NONE: no such prototype, or no mark. */
enum mark mark_of(const char *name);
/* Calls tell for every prototype of sys.h. */
void mark_each(void (*tell)(const char *name, enum mark mark));

#endif
