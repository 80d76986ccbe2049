#include "host/crew/death.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "text.h"

const char *duration_text(char text[DURATION_MAX], int64_t milliseconds)
{
	FILE *out = fmemopen(text, DURATION_MAX, "w");

	if (out) {
		text_duration(out, milliseconds);
		if (fclose(out) == 0)
			return text;
	}
	(void)snprintf(text, DURATION_MAX, "%lldms", (long long)milliseconds);
	return text;
}

static void how(char *text, size_t size, int status)
{
	const char *name;

	if (WIFEXITED(status)) {
		(void)snprintf(text, size, "exited with code %d", WEXITSTATUS(status));
		return;
	}
	name = WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : NULL;
	if (!WIFSIGNALED(status))
		(void)snprintf(text, size, "ended with status 0x%x", (unsigned)status);
	else
		(void)snprintf(text, size, "was killed by signal %d%s%s%s%s", WTERMSIG(status),
			       name ? " (SIG" : "", name ? name : "", name ? ")" : "",
			       WCOREDUMP(status) ? ", dumped core," : "");
}

const char *death_text(char *text, size_t size, int number, pid_t pid, int status, int64_t lived)
{
	char words[96], duration[DURATION_MAX];

	if (status == NO_PROCESS) {
		(void)snprintf(text, size, "worker %d could not be started", number);
		return text;
	}
	how(words, sizeof words, status);
	(void)snprintf(text, size, "worker %d (pid %ld) %s after %s", number, (long)pid, words,
		       duration_text(duration, lived));
	return text;
}

void death_lines(const char *last, void (*line)(void *data, const char *text, int length),
		 void *data)
{
	const char *from = last + strlen(last);
	int lines = 0;

	while (from > last) {
		if (from[-1] == '\n' && from[0] != '\n' && from[0] && ++lines == DEATH_LINES)
			break;
		from--;
	}
	while (*from) {
		size_t length = strcspn(from, "\n");

		if (length > 0)
			line(data, from, (int)length);
		from += length + (from[length] == '\n');
	}
}
