#ifndef LUVD_HOST_MONITOR_HANDOVER_H
#define LUVD_HOST_MONITOR_HANDOVER_H

#include "host/control_keep.h"
#include "host/monitor/cgroup.h"
#include "plan/daemon.h"

/* All that a monitor's image leaves to the one that is executed in its place, as plain bytes: what
 * the process has of the kernel (descriptors, children) by number, what the image has in memory as
 * it is. Of malloc(3), but for nothing that is open: descriptors belong to the process. */

struct handover_generation {
	int id;
	int bundle_fd; /* sealed memfd */
};

struct handover_member {
	int generation, number; /* of its slot */
	pid_t pid;
	int pidfd;
	int channel_fd;
	int relay_fd, output_fd;
	char *rest; /* log_source_take's bytes */
	size_t rest_length;
	int64_t unheard, lag; /* as struct member has them */
	char step[16];
	char text[256];
	char cgroup[CGROUP_NAME_MAX];
};

struct handover {
	char *version;        /* of the luvd that writes this */
	int64_t since;        /* moment of the start */
	int64_t begun;        /* moment at which the upgrade was asked for */
	struct daemon daemon; /* what lasts of it; not spec, listeners, files */
	int current;          /* id of the generation that daemon->spec is of */
	char *crew;           /* crew_encode's bytes */
	size_t crew_length;
	char *sockets; /* sockets_encode's bytes */
	size_t sockets_length;
	struct handover_generation *generations; /* oldest first */
	size_t generation_count;
	struct handover_member *members;
	size_t member_count;
	struct control_kept *clients;
	size_t client_count;
	char **lines;       /* of `luvd logs`, oldest first; NULL-terminated, never NULL */
	uint64_t next_line; /* number that the next one has */
	int64_t reload_at;  /* the last reload's verdict; 0: there was none */
	bool reload_done;
	int64_t reload_took;
	uint64_t reload_accepted, reload_refused;
	char *reload_text;
	int *strangers; /* children that are not ours, host/orphans */
	size_t stranger_count;
	char status[256]; /* luvd.status */
};

enum { HANDOVER_SIZE_MAX = 64 << 20 };

/* *bytes is freed by the caller. What is a lie is found by who reads it, not here. */
int handover_encode(const struct handover *handover, unsigned char **bytes, size_t *length,
		    struct err *err);
/* Every bound is checked; -1: nothing is to be finished. */
int handover_decode(struct handover *handover, const unsigned char *bytes, size_t length,
		    struct err *err);
/* Frees what decode has made; closes nothing. */
void handover_finish(struct handover *handover);
/* The descriptors that it names, at most size of them; returns how many there are. Those of the
 * sockets are not among them. */
size_t handover_descriptors(const struct handover *handover, int *list, size_t size);

/* handover_daemon.c: the daemon's part. */
struct codec;
void handover_code_daemon(struct codec *codec, struct daemon *daemon);
/* A descriptor above 2, or -1. */
void handover_code_fd(struct codec *codec, int *fd);
/* A text in an array of size bytes. */
void handover_code_fixed(struct codec *codec, char *text, size_t size);
void handover_finish_daemon(struct daemon *daemon);

#endif
