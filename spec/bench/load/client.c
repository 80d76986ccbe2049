#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* --- sending --- */

static void make_batch(struct load *load, struct client *client)
{
	const struct options *options = &load->options;
	size_t size = load->batch_length / (size_t)options->pipeline;
	char mark[32];

	client->batch = malloc(load->batch_length + 1);
	if (!client->batch)
		err(1, "a batch");
	for (size_t at = 0; at < load->batch_length; at += size) {
		if (options->request) {
			memcpy(client->batch + at, options->request, size);
			continue;
		}
		/* No two messages on the way are equal: one that goes astray is seen. */
		snprintf(mark, sizeof mark, "%6d %8zu ", client->number, at / size);
		memset(client->batch + at, '.', size);
		memcpy(client->batch + at, mark, strlen(mark));
	}
}

/* The socket blocks in send alone: all answers are read by then, so the server reads too. */
static void send_batch(struct load *load, struct client *client)
{
	size_t sent = 0;

	if (!client->batch)
		make_batch(load, client);
	client->missing = load->options.pipeline;
	client->echoed = 0;
	while (sent < load->batch_length) {
		ssize_t count =
		    send(client->fd, client->batch + sent, load->batch_length - sent, MSG_NOSIGNAL);
		if (count < 0) {
			load_wrong(load, client, strerror(errno));
			client_close(load, client);
			return;
		}
		sent += (size_t)count;
	}
}

/* --- opening and closing --- */

static void bind_source(const struct load *load, const struct client *client)
{
	int source = client->number % load->options.sources, on = 1;
	struct sockaddr_in address = {.sin_family = AF_INET};

	if (load->options.sources == 1)
		return;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)source);
	/* The port is chosen by connect, which knows the whole pair of addresses. */
	if (setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0 ||
	    bind(client->fd, (struct sockaddr *)&address, sizeof address) < 0)
		err(1, "a client address");
}

void client_open(struct load *load, struct client *client)
{
	const struct sockaddr_in *address = &load->options.address;
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int on = 1;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		err(1, "a socket");
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	bind_source(load, client);
	client->began = load->options.reconnect ? load_now() : load->now;
	if (connect(client->fd, (const struct sockaddr *)address, sizeof *address) < 0 ||
	    epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) < 0)
		err(1, "connection %d", client->number);
	if (load->batch_length > 0) {
		load->busy++;
		send_batch(load, client);
	}
}

void client_close(struct load *load, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	client->part_length = 0;
	client->answered = false;
	if (load->batch_length > 0)
		load->busy--;
	if (!load->over && !load->options.idle)
		client_open(load, client);
}

/* --- receiving --- */

static void end_of_batch(struct load *load, struct client *client)
{
	latency_add(&load->latency, load->now - client->began);
	client->began = load->now;
	if (load->options.reconnect && load->options.request) {
		client->answered = true; /* "Connection: close": the server's turn */
		return;
	}
	if (load->options.reconnect) {
		client_close(load, client);
		return;
	}
	if (load->over || load->options.idle) {
		load->busy--;
		return;
	}
	send_batch(load, client);
}

static void count_answer(struct load *load, struct client *client)
{
	load->answers++;
	client->missing--;
}

static void wrong_answer(struct load *load, struct client *client)
{
	load_wrong(load, client, "a wrong answer");
	client_close(load, client);
}

static void take_echo(struct load *load, struct client *client, const char *bytes, size_t length)
{
	size_t size = load->options.echo;

	if (length > load->batch_length - client->echoed ||
	    memcmp(client->batch + client->echoed, bytes, length) != 0) {
		wrong_answer(load, client);
		return;
	}
	client->echoed += length;
	while (client->missing > 0 &&
	       client->echoed >= size * (size_t)(load->options.pipeline - client->missing + 1))
		count_answer(load, client);
	if (client->missing == 0)
		end_of_batch(load, client);
}

static void keep_part(struct client *client, const char *bytes, size_t length)
{
	if (length > 0) {
		client->part = realloc(client->part, length);
		if (!client->part)
			err(1, "an answer");
		memcpy(client->part, bytes, length);
	}
	client->part_length = length;
}

static void take_http(struct load *load, struct client *client, const char *bytes, size_t length)
{
	ssize_t taken = ANSWER_PARTIAL;

	while (length > 0 && client->missing > 0) {
		taken = answer_check(&load->options, bytes, length);
		if (taken <= 0)
			break;
		count_answer(load, client);
		bytes += taken;
		length -= (size_t)taken;
	}
	if (taken == ANSWER_WRONG || (client->missing == 0 && length > 0)) {
		wrong_answer(load, client);
		return;
	}
	keep_part(client, bytes, length);
	if (client->missing == 0)
		end_of_batch(load, client);
}

static void at_end(struct load *load, struct client *client, const char *why)
{
	if (!client->answered)
		load_wrong(load, client, why);
	client_close(load, client);
}

void client_ready(struct load *load, struct client *client)
{
	size_t before = client->part_length;
	ssize_t count =
	    recv(client->fd, load->buffer + before, sizeof load->buffer - before, MSG_DONTWAIT);

	if (count < 0 && errno == EAGAIN)
		return;
	if (count <= 0 || client->missing == 0) {
		at_end(load, client,
		       count < 0    ? strerror(errno)
		       : count == 0 ? "closed by the server"
				    : "bytes that nobody asked for");
		return;
	}
	if (load->options.echo) {
		take_echo(load, client, load->buffer, (size_t)count);
		return;
	}
	if (before > 0)
		memcpy(load->buffer, client->part, before);
	take_http(load, client, load->buffer, before + (size_t)count);
}
