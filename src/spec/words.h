#ifndef LUVD_SPEC_WORDS_H
#define LUVD_SPEC_WORDS_H

#include <stdbool.h>

/* The fixed words of the daemon file and what they stand for. Each list ends with a NULL name. */
struct word {
	const char *name;
	int number;
};

extern const struct word words_sink[];     /* enum sink_kind */
extern const struct word words_level[];    /* enum log_level */
extern const struct word words_format[];   /* 1: json */
extern const struct word words_facility[]; /* LOG_* of syslog(3) */
extern const struct word words_file_mode[];
extern const struct word words_policy[]; /* enum restart_policy */
extern const struct word words_over[];   /* enum restart_over */
extern const struct word words_action[]; /* enum action, without "service.NAME" */
extern const struct word words_signal[]; /* those that may have an action */
extern const struct word words_limit[];  /* RLIMIT_* of setrlimit(2) */
extern const struct word words_ioprio[]; /* classes of ioprio_set(2) */

const struct word *word_find(const struct word *words, const char *name); /* NULL: none */
const char *word_nearest(const struct word *words, const char *name);     /* NULL: none */
/* Is the limit counted in bytes, so that "64MiB" is a value? */
bool word_limit_is_size(int resource);

#endif
