#ifndef LUVD_PLAN_RECORD_H
#define LUVD_PLAN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/* HOME/record: what stop, status and reload must know of a running daemon without reading its
 * daemon file, and what they must clean up after a dead one. Text, "key value" a line; backslash
 * and newline in a value are written \\ and \n. Mode 0644, replaced as a whole. */

struct daemon;

enum { RECORD_BYTES_MAX = 65536, RECORD_SOCKETS_MAX = 64 };

/* A file that the daemon has made; it is ours only while it has these numbers. */
struct record_file {
	const char *path;
	dev_t device;
	ino_t inode;
};

struct record {
	const char *name;
	const char *path; /* of the daemon file, absolute */
	pid_t pid;
	uint64_t started; /* of pid, see sys_started; 0: not known */
	int generation;
	const char *control;        /* "" when there is none */
	const char *log;            /* "/var/log/echo.log", "stderr", "syslog" ... */
	uid_t user;                 /* what the service runs as */
	uid_t starter;              /* who has started it */
	struct record_file pidfile; /* path "" when there is none */
	struct record_file sockets[RECORD_SOCKETS_MAX];
	size_t socket_count;
	char *text; /* what the strings point into */
};

/* Writes HOME/record of the daemon that runs as daemon->pid, and notes it in
 * daemon->record_made. */
int record_write(struct daemon *daemon, struct err *err);
/* Reads HOME/record. -1 with err->code ENOENT when there is none. */
int record_read(const char *home_folder, struct record *record, struct err *err);
void record_finish(struct record *record);
/* Does the process of the record still run, as far as its pid and start time tell? */
bool record_is_alive(const struct record *record);
/* Asks for HOME/lock without taking it: 1: a daemon holds it, 0: nobody, -1: may not be asked
 * (errno EACCES) or failed. */
int record_lock_held(const char *home_folder);
/* Removes what a dead daemon has left: pidfile, unix sockets, control socket, record, lock and the
 * folder. Takes the lock meanwhile; -1 when the daemon runs after all. */
int record_clean(const char *home_folder, const struct record *record, struct err *err);

#endif
