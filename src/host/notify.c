#include "host/notify.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void tell(const struct daemon *daemon, const char *text)
{
	if (daemon->notify_socket >= 0)
		(void)!send(daemon->notify_socket, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* s6-svwait(1): a newline, then nothing more will come. */
static void tell_s6(struct daemon *daemon)
{
	struct pollfd pipe_end = {.fd = daemon->notify_fd, .events = POLLOUT};

	if (daemon->notify_fd < 0)
		return;
	/* A supervisor that is gone must not end us with SIGPIPE: the launcher does not ignore it.
	 */
	if (poll(&pipe_end, 1, 0) == 1 && pipe_end.revents == POLLOUT)
		(void)!write(daemon->notify_fd, "\n", 1);
	close(daemon->notify_fd);
	daemon->notify_fd = -1;
}

void notify_ready(struct daemon *daemon, pid_t mainpid)
{
	char text[64] = "READY=1";

	/* One message: a manager that follows MAINPID must not see READY from a stranger. */
	if (mainpid)
		snprintf(text, sizeof text, "MAINPID=%ld\nREADY=1", (long)mainpid);
	tell(daemon, text);
	tell_s6(daemon);
}

void notify_reloading(struct daemon *daemon)
{
	struct timespec now = {0};
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	tell(daemon, text);
}

void notify_reloaded(struct daemon *daemon)
{
	tell(daemon, "READY=1");
}

void notify_stopping(struct daemon *daemon)
{
	tell(daemon, "STOPPING=1");
}

void notify_status(struct daemon *daemon, const char *text)
{
	char message[512];

	snprintf(message, sizeof message, "STATUS=%s", text);
	/* A newline would begin another assignment, and the service chose the text. */
	for (char *p = message; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7F)
			*p = ' ';
	tell(daemon, message);
}

void notify_watchdog(struct daemon *daemon)
{
	tell(daemon, "WATCHDOG=1");
}
