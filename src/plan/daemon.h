#ifndef LUVD_PLAN_DAEMON_H
#define LUVD_PLAN_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "err.h"
#include "plan/machine.h"
#include "spec/spec.h"

/* The daemon that is being started: what the steps read and what they leave behind.
 * One struct on main's stack, passed to every step; a descriptor that is not open is -1. */

struct step;
struct log;

/* A file or folder that this start has made; inode 0: it has not. Undo removes a path only while it
 * still is this file, so that it is right in the launcher, in the daemon and in a new root. */
struct made {
	dev_t device;
	ino_t inode;
};

enum { FOLDERS_MADE_MAX = 32 };
struct made_folder {
	char *path;
	struct made made;
};

struct listener {
	const struct listen *listen;
	const struct address *address;
	int fd;
	int *others; /* with reuseport: the sockets of worker slots 2, 3 ..., and fd is of slot 1 */
	size_t other_count;
	bool inherited;   /* from a service manager: never unlinked by us */
	char actual[160]; /* "tcp://127.0.0.1:49152": with the port that the kernel chose */
	dev_t device;     /* unix: the file that we made, to unlink only it */
	ino_t inode;
	const char *guise; /* in a simulation: its world, service/guise; else NULL */
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
	struct timespec read_at; /* wall clock before its files were read */
	struct machine machine;
	char **arguments;   /* main's argv, whose memory holds the process title */
	bool background;    /* start, not run */
	bool context_taken; /* main has taken the rows stdio and context already */
	bool watch;         /* run --watch: reload when files change */
	bool if_stopped;    /* --if-stopped: that it runs already is no failure */
	bool announced;     /* host/launch: the daemon has told its pid */
	pid_t launcher;     /* who typed the command */
	pid_t parent;       /* of the launcher, when it began */
	pid_t pid;          /* the daemon's own, once detached; 0 before */
	int middle_status;  /* how the process between the two forks ended, for the launcher */

	/* Which of the daemon's processes this is, enum role; several in a classic daemon. */
	unsigned role;
	int generation; /* from 1 on; a classic daemon's is 1 */
	int worker;     /* 1..N in a worker; 1 in a classic daemon; 0 in a monitor */
	pid_t monitor;  /* in a worker: its monitor's pid; else 0 */
	int relay_fd;   /* in a worker: the pipe that takes its log lines to the monitor, host/relay
			 */

	char *program;  /* its path, absolute: where an upgrade looks for a newer one */
	int self_fd;    /* luvd's own executable, O_PATH: what a loader is executed from */
	int null_fd;    /* /dev/null */
	int lock_fd;    /* HOME/lock, held by flock(2) */
	int pidfile_fd; /* held by flock(2) too */
	dev_t pidfile_device;
	ino_t pidfile_inode;
	struct made_folder folders_made[FOLDERS_MADE_MAX]; /* by paths, outermost first */
	size_t folders_made_count;
	struct listener *listeners; /* listener_count of them */
	size_t listener_count;
	int *file_fds;           /* spec->file_count of them */
	struct made *files_made; /* as many */
	struct sink sink;
	struct made log_made;
	int bundle_fd;  /* sealed memfd: bundle_encode's bytes */
	int channel_fd; /* status channel: in the launcher its end, in the daemon the other; -1 in
			   run */
	int output_fd;  /* read end of the pipe that is fd 1 and 2 of the daemon; -1: they are the
			   sink */
	int control_fd; /* listening unix socket */
	struct made control_made;
	struct made record_made;
	int notify_socket; /* connected datagram socket to NOTIFY_SOCKET */
	int notify_fd;     /* s6 descriptor */
	int terminal_fd;   /* run with its log elsewhere: stderr as it was, until ready; with
			    * --watch always */
	int keeper_fd; /* run --watch: the pipe to who starts it again (host/keeper), until ready */
	int witness_fd;   /* /proc/self/status, which audit reads after chroot, and status later */
	struct made root; /* "/" as it was before chroot: audit proves that it is another one */
	/* /etc/hosts and /etc/resolv.conf as they were before chroot, for net.connect; NULL: there
	 * are none. */
	char *hosts, *resolver;
	char **environment;   /* of the process, from step process on; ends with NULL */
	struct log *log;      /* the host's; NULL before the loop. It has descriptors of its own. */
	struct errs warnings; /* told before the log stood: to be logged by it */

	/* Told before each step of the daemon is taken (from detach on, while channel_fd is open):
	 * host/launch sends it over the status channel. -1 ends the start (the launcher is gone).
	 * NULL: nobody listens. */
	int (*announce)(struct daemon *daemon, const struct step *step, struct err *err);
	/* An optional call failed, or something deserves a word: shown by the launcher, logged by
	 * the daemon. NULL: stderr. */
	void (*warn)(struct daemon *daemon, const struct err *err);
};

void daemon_init(struct daemon *daemon);   /* all descriptors -1 */
void daemon_finish(struct daemon *daemon); /* closes, frees; never unlinks */

/* Every open descriptor that struct daemon knows, 0 to 2 among them, ascending; at most size are
 * written to list; returns how many. warmup closes all others, audit proves that there are none. */
size_t daemon_descriptors(const struct daemon *daemon, int *list, size_t size);
/* Is it one process, without monitor and workers? */
bool daemon_is_classic(const struct daemon *daemon);
/* Is this the last process of the start: the daemon itself and not its launcher? */
bool daemon_is_detached(const struct daemon *daemon);
/* Tells daemon->warn, or stderr; step names the row. With the text of errno when code is not 0. */
void daemon_warn(struct daemon *daemon, const char *step, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A copy of list and its strings, NULL-terminated; NULL when out of memory. */
char **strings_copy(char *const *list);
void strings_free(char **list); /* accepts NULL */

#endif
