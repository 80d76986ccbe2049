#ifndef LUVD_HOST_CREW_DEATH_H
#define LUVD_HOST_CREW_DEATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How a process died, in words. */

enum {
	NO_PROCESS = -1, /* in place of a status of waitpid(2): it could not be spawned */
	DURATION_MAX = 32
};

/* "worker 2 (pid 4711) was killed by signal 9 (SIGKILL) after 3m 12s" */
const char *death_text(char *text, size_t size, int number, pid_t pid, int status, int64_t lived);
/* "3m 12s", as text_duration. */
const char *duration_text(char text[DURATION_MAX], int64_t milliseconds);
/* Calls line for each line of last, at most the last DEATH_LINES; empty ones are left out. */
enum { DEATH_LINES = 20 };
void death_lines(const char *last, void (*line)(void *data, const char *text, int length),
		 void *data);

#endif
