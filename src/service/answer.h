#ifndef LUVD_SERVICE_ANSWER_H
#define LUVD_SERVICE_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

/* Text for the console that grows up to a bound; what does not fit is left out. Zeroed but for
 * most, it is empty. */
struct answer {
	char *bytes;
	size_t length, size;
	size_t most;
	bool cut; /* something was left out, also for want of memory */
};

/* A zero byte becomes \0: the whole is read as a string. */
void answer_add(struct answer *answer, const char *bytes, size_t length);
void answer_text(struct answer *answer, const char *text);
void answer_format(struct answer *answer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Never NULL; with a last line that says so when it was cut. */
const char *answer_finish(struct answer *answer);
void answer_free(struct answer *answer);

#endif
