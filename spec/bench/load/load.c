#include "load.h"

#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, SECOND = 1000000000, PATIENCE = 50000 /* nanoseconds */, ERRORS_MAX = 100 };

uint64_t load_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

void load_wrong(struct load *load, const struct client *client, const char *what)
{
	if (load->errors++ == 0)
		warnx("connection %d: %s", client->number, what);
	if (load->errors == ERRORS_MAX)
		errx(1, "%d wrong: this is no server to measure", ERRORS_MAX);
}

static int turn(struct load *load, int milliseconds)
{
	struct epoll_event events[EVENTS];
	int count = epoll_wait(load->epoll, events, EVENTS, milliseconds);

	load->now = load_now();
	for (int i = 0; i < count; i++)
		client_ready(load, events[i].data.ptr);
	return count;
}

static void open_all(struct load *load)
{
	int count = load->options.connections;

	load->clients = calloc((size_t)count, sizeof *load->clients);
	if (!load->clients)
		err(1, "clients");
	load->now = load_now();
	for (int i = 0; i < count; i++) {
		load->clients[i].number = i;
		client_open(load, &load->clients[i]);
	}
}

/* Answers that are under way are waited for: none is counted for the server but not for us. */
static void drain(struct load *load)
{
	uint64_t until = load_now() + 5ULL * SECOND;

	load->over = true;
	while (load->busy > 0 && load_now() < until)
		turn(load, 100);
	if (load->busy > 0) {
		warnx("%d answers never came", load->busy);
		load->errors += (uint64_t)load->busy;
	}
}

/* Sleeps only when the server seems not to run at all: a server that answers a client asleep pays
 * for waking it, the slower the server the more often. Clients on other machines cost none that. */
static void press(struct load *load)
{
	uint64_t until = load_now() + (uint64_t)(load->options.seconds * SECOND);
	uint64_t last = load_now();

	while (load->now < until) {
		if (turn(load, load->now < last + PATIENCE ? 0 : 100) > 0)
			last = load->now;
	}
	drain(load);
}

/* Says "open" when every connection stands (and has its answer), then holds them. */
static void hold(struct load *load)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	drain(load);
	printf("open %d\n", load->options.connections);
	fflush(stdout);
	while (poll(&input, 1, 0) == 0)
		turn(load, 50);
}

static void report(const struct load *load, double seconds)
{
	const struct latency *latency = &load->latency;

	printf("{\"requests\": %" PRIu64 ", \"errors\": %" PRIu64 ", \"seconds\": %.4f, "
	       "\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"longest\": %.1f}\n",
	       load->answers, load->errors, seconds, (double)latency_at(latency, 0.5) / 1e3,
	       (double)latency_at(latency, 0.9) / 1e3, (double)latency_at(latency, 0.99) / 1e3,
	       (double)latency->longest / 1e3);
}

static size_t batch_length(const struct options *options)
{
	size_t size = options->request ? strlen(options->request) : options->echo;

	return size * (size_t)options->pipeline;
}

static void release(struct load *load)
{
	for (int i = 0; i < load->options.connections; i++) {
		if (load->clients[i].fd >= 0)
			close(load->clients[i].fd);
		free(load->clients[i].batch);
		free(load->clients[i].part);
	}
	free(load->clients);
	close(load->epoll);
}

int main(int count, char **arguments)
{
	static struct load load;
	uint64_t began;

	options_read(&load.options, count, arguments);
	load.batch_length = batch_length(&load.options);
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll < 0)
		err(1, "epoll");
	began = load_now();
	open_all(&load);
	if (load.options.idle)
		hold(&load);
	else
		press(&load);
	report(&load, (double)(load_now() - began) / SECOND);
	release(&load);
	return load.errors > 0;
}
