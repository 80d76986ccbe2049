#ifndef LUVD_HOST_CREW_RESTART_H
#define LUVD_HOST_CREW_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/spec.h"

/* Whether and when a worker that died is replaced. */

enum { EXIT_CODES = 256 };

/* A set of exit codes: those that mean "do not restart". */
struct final_codes {
	uint8_t bits[EXIT_CODES / 8];
};

void final_codes_of(struct final_codes *codes, const struct restart_spec *spec);

/* The deaths of one place. They are dated by its own clock, which stands still while it waits to
 * come back: else a long wait, or a slow start, would carry a crash loop out of its window. */
struct history {
	int64_t clock; /* how long its processes have lived, together */
	int count;
	int64_t deaths[RESTART_LIMIT_MAX + 1]; /* within the window, oldest first */
};

enum restart {
	RESTART_NOW_OR_LATER, /* after delay */
	RESTART_FORBIDDEN,    /* by policy or exit code */
	RESTART_TOO_OFTEN     /* over the limit */
};

/* status: of waitpid(2), or NO_PROCESS. served: it was ready once; one that was not has failed,
 * whatever it exits with. lived: ms. random: any number, for the jitter. */
struct end {
	int status;
	bool served;
	int64_t lived;
	uint32_t random;
};

/* Did it end as a program ends that is done? */
bool end_is_fine(const struct end *end);
/* Adds the death to history. *delay: ms until the next start, 0: at once. */
enum restart restart_decide(const struct restart_spec *spec, const struct final_codes *codes,
			    struct history *history, const struct end *end, int64_t *delay);

#endif
