#ifndef LUVD_BENCH_LOAD_H
#define LUVD_BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The load generator: many clients in one thread, each sends a batch of requests, checks every
 * answer and sends the next batch. */

enum { BUCKETS = 64 * 16 };

/* Counts of times by size: sixteen steps for each power of two, so a percentile is right to 6 %. */
struct latency {
	uint64_t counts[BUCKETS];
	uint64_t total, longest; /* nanoseconds */
};

void latency_add(struct latency *latency, uint64_t nanoseconds);
/* The time that a share (0 to 1) of all stayed below, nanoseconds. */
uint64_t latency_at(const struct latency *latency, double share);

struct options {
	struct sockaddr_in address;
	int connections;
	int pipeline;        /* requests of a batch */
	double seconds;      /* how long */
	int sources;         /* client addresses, from 127.0.0.1 on: each has its own ports */
	bool reconnect;      /* a new connection for each request */
	bool idle;           /* only hold connections open until standard input ends */
	size_t echo;         /* bytes of a message that comes back; 0: HTTP */
	const char *request; /* of HTTP: head and body as they are sent */
	const char *body;    /* what the answer's body must be, or contain */
	bool contains;
};

/* Exits with a message when an argument is wrong. */
void options_read(struct options *options, int count, char **arguments);

enum { ANSWER_PARTIAL = 0, ANSWER_WRONG = -1 };

/* The length of the HTTP answer that the bytes begin with, or one of the above. */
ssize_t answer_check(const struct options *options, const char *bytes, size_t length);

struct client {
	int fd, number;
	uint64_t began; /* the batch, nanoseconds */
	int missing;    /* answers of the batch */
	size_t echoed;  /* bytes of the batch that came back */
	char *batch;    /* what is sent */
	char *part;     /* the beginning of an answer */
	size_t part_length;
	bool answered; /* reconnect: nothing but the end is missing */
};

struct load {
	struct options options;
	int epoll;
	struct client *clients;
	size_t batch_length;
	uint64_t now; /* nanoseconds */
	bool over;    /* no new batch */
	int busy;     /* clients that wait for answers */
	uint64_t answers, errors;
	struct latency latency;
	char buffer[1 << 18];
};

uint64_t load_now(void);
/* Counts an error; the first one is written to standard error, after too many it exits. */
void load_wrong(struct load *load, const struct client *client, const char *what);

/* Connects and, but for idle clients without a request, sends the first batch. */
void client_open(struct load *load, struct client *client);
void client_close(struct load *load, struct client *client);
/* There is something to read. */
void client_ready(struct load *load, struct client *client);

#endif
