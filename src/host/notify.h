#ifndef LUVD_HOST_NOTIFY_H
#define LUVD_HOST_NOTIFY_H

#include "plan/daemon.h"

/* What a service manager is told: datagrams to NOTIFY_SOCKET, sd_notify(3)'s protocol written
 * here, and a newline on the s6 descriptor (daemon->notify_socket, notify_fd; nothing when both are
 * -1). None of these fails the daemon: a manager that is gone is nobody's error. */

void notify_ready(struct daemon *daemon,
		  pid_t mainpid);             /* READY=1, MAINPID when not 0; s6: "\n", closed */
void notify_reloading(struct daemon *daemon); /* RELOADING=1 with MONOTONIC_USEC */
void notify_reloaded(struct daemon *daemon);  /* READY=1 */
void notify_stopping(struct daemon *daemon);  /* STOPPING=1 */
void notify_status(struct daemon *daemon, const char *text); /* STATUS=, one line */
void notify_watchdog(struct daemon *daemon);                 /* WATCHDOG=1 */

#endif
