#ifndef LUVD_PLAN_DAEMON_H
#define LUVD_PLAN_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "plan/machine.h"
#include "spec/spec.h"

/* The daemon that is being started: what the steps read and what they leave behind.
 * One struct on main's stack, passed to every step; a descriptor that is not open is -1. */

struct step;
struct log;

struct listener {
	const struct listen *listen;
	const struct address *address;
	int fd;
	bool inherited;   /* from a service manager: never unlinked by us */
	char actual[160]; /* "tcp://127.0.0.1:49152": with the port that the kernel chose */
	dev_t device;     /* unix: the file that we made, to unlink only it */
	ino_t inode;
};

/* Where log lines go. */
struct sink {
	enum sink_kind kind; /* never SINK_DEFAULT */
	int fd;              /* file, dup of stderr or stdout, or a connected datagram socket */
	bool journal;        /* kind is stderr or stdout and it is the journal: "<N>" prefixes */
};

struct daemon {
	struct source source;
	struct spec *spec;
	struct machine machine;
	const char *program; /* argv[0], for messages */
	char **arguments;    /* main's argv, whose memory holds the process title */
	bool background;     /* start, not run */
	bool context_taken;  /* main has taken the rows stdio and context already */
	bool if_stopped;     /* --if-stopped: that it runs already is no failure */
	bool announced;      /* host/launch: the daemon has told its pid */
	pid_t launcher;      /* who typed the command */
	pid_t pid;           /* the daemon's own, once detached; 0 before */

	int self_fd;    /* luvd's own executable, O_PATH: what a loader is executed from */
	int null_fd;    /* /dev/null */
	int lock_fd;    /* HOME/lock, held by flock(2) */
	int pidfile_fd; /* held by flock(2) too */
	dev_t pidfile_device;
	ino_t pidfile_inode;
	struct listener *listeners; /* listener_count of them */
	size_t listener_count;
	int *file_fds; /* spec->file_count of them */
	struct sink sink;
	int bundle_fd;  /* sealed memfd: bundle_encode's bytes */
	int channel_fd; /* status channel: in the launcher its end, in the daemon the other; -1 in
			   run */
	int output_fd;  /* read end of the pipe that is fd 1 and 2 of the daemon; -1: they are the
			   sink */
	int control_fd; /* listening unix socket */
	int notify_socket; /* connected datagram socket to NOTIFY_SOCKET */
	int notify_fd;     /* s6 descriptor */
	int witness_fd;    /* /proc/self/... that audit reads after chroot; see step_witness.c */
	int witness_dir[4];
	struct log *log; /* host/worker's; NULL before the loop. It has descriptors of its own. */
	struct errs warnings; /* told before the log stood: to be logged by it */

	/* Told before each step of the daemon is taken: host/launch sends it over the status
	 * channel. -1 ends the start (the launcher is gone). NULL: nobody listens. */
	int (*announce)(struct daemon *daemon, const struct step *step, struct err *err);
	/* An optional call failed, or something deserves a word: shown by the launcher, logged by
	 * the daemon. NULL: stderr. */
	void (*warn)(struct daemon *daemon, const struct err *err);
};

void daemon_init(struct daemon *daemon);   /* all descriptors -1 */
void daemon_finish(struct daemon *daemon); /* closes, frees; never unlinks */

#endif
