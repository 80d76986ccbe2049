#ifndef LUVD_SPEC_UNIT_IN_VALGRIND_H
#define LUVD_SPEC_UNIT_IN_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Fifty times slower: a test of many random inputs tries fewer of them there. */
static inline bool in_valgrind(void)
{
	const char *preload = getenv("LD_PRELOAD");

	return preload && strstr(preload, "vgpreload");
}

#endif
