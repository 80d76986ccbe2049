#ifndef LUVD_HOST_CRASH_H
#define LUVD_HOST_CRASH_H

#include <stdbool.h>
#include <sys/types.h>

/* The last words of a process that dies from SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT: what libc,
 * libuv or a sanitizer wrote to fd 2 is still in the pipe then, and the log thread may not come to
 * it any more. The signal's default action follows. */

struct crash {
	int wake_fd;   /* eventfd: asks the log thread to write everything ... */
	int done_fd;   /* ... and eventfd by which it answers; waited for at most 500 ms */
	pid_t thread;  /* of the log: when it is the one that dies nobody is asked */
	int output_fd; /* the pipe */
	int sink_fd;
	bool datagram;
	bool json;
	char head[160]; /* of each datagram: syslog's or the journal's */
	char name[64];
	pid_t pid;
};

/* Handlers stand from now on, except where somebody else's (a sanitizer's) stand already. One
 * at a time in a process: what a signal handler must reach is global. -1 with errno: not all of
 * them do. */
int crash_install(const struct crash *crash);
void crash_remove(void);
/* Handlers stand where somebody else's stood at crash_install. */
void crash_catch(void);
/* Async-signal-safe: is the process dying and waiting for the log thread? */
bool crash_waits(void);

#endif
