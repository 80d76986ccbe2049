#ifndef LUVD_PLAN_SIGNAL_H
#define LUVD_PLAN_SIGNAL_H

#include <stdbool.h>

#include "plan/daemon.h"

/* What a signal means for this daemon: the daemon file's word, else the table of the design. */
struct signal_action {
	enum action action;
	const char *function; /* ACTION_SERVICE */
};

/* In a worker only SIGTERM has a meaning: to stop. by_kernel: it was not sent by a process, as HUP
 * when the terminal goes. */
struct signal_action signal_action(const struct daemon *daemon, int number, bool by_kernel);

/* The signals that have a meaning without a word of the daemon file: the first is number 0; 0
 * behind the last. */
int signal_default(size_t index);

#endif
