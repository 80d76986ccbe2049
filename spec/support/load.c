/* Correct clients of one HTTP listener, which count what is lost.
 *
 *   load [-k KEPT] [-f FRESH] [-p PAUSE] HOST PORT
 *
 *   -k  clients that keep their connection (0)
 *   -f  clients that connect for each request (0)
 *   -p  milliseconds that a client rests after an answer, on the average (0)
 *
 * A kept connection that is closed before the first byte of an answer is opened anew and the
 * request repeated; so is one whose answer says that it is the last. Lost is no answer or a part of
 * one on a fresh connection, a part on a kept one, an answer that is not 200, none for 20 seconds.
 * An answer's body begins with a number.
 *
 * Prints "new N" when an answer has a greater number than all before, "lost HOW ..." with what was
 * seen instead of an answer, and, when its standard input has ended and each client has its last
 * answer, "over answers=N repeated=N last=N lost=N": last are the kept connections that an answer
 * has ended. */

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 1024, PATIENCE = 20000, CLIENTS_MAX = 200, LOST_SHOWN = 20 };

enum state { RESTING, CONNECTING, ASKED, GONE };

struct client {
	int fd, number;
	bool keep;
	enum state state;
	unsigned answers; /* on this connection */
	int64_t due;      /* the next request, or the end of patience */
	size_t length;
	char bytes[ANSWER_MAX + 1]; /* of the answer so far */
};

struct load {
	int epoll, kept, fresh, pause;
	struct sockaddr_in to;
	struct client clients[CLIENTS_MAX];
	int count, gone;
	bool over;
	int64_t now; /* milliseconds */
	long newest;
	size_t answers, repeated, last, lost;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- the end of a request --- */

static void close_client(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->answers = 0;
	client->length = 0;
}

static void rest(struct load *load, struct client *client, int pause)
{
	client->state = load->over ? GONE : RESTING;
	client->due = load->now + pause;
	if (load->over) {
		close_client(client);
		load->gone++;
	}
}

static void print_bytes(const struct client *client)
{
	for (size_t i = 0; i < client->length; i++) {
		unsigned char byte = (unsigned char)client->bytes[i];

		printf(byte < ' ' || byte > '~' ? "\\x%02x" : "%c", byte);
	}
}

static void lose(struct load *load, struct client *client, const char *how)
{
	if (load->lost++ < LOST_SHOWN) {
		printf("lost %s client=%d %s answers=%u after \"", how, client->number,
		       client->answers > 0 ? "kept" : "fresh", client->answers);
		print_bytes(client);
		printf("\"\n");
		fflush(stdout);
	}
	close_client(client);
	rest(load, client, 1);
}

/* --- asking --- */

static void send_request(struct load *load, struct client *client)
{
	char text[128];
	int length = snprintf(text, sizeof text, "GET /%d HTTP/1.1\r\nHost: here\r\n%s\r\n",
			      client->number, client->keep ? "" : "Connection: close\r\n");

	/* What is wrong here is seen by who reads. */
	(void)send(client->fd, text, (size_t)length, MSG_NOSIGNAL);
	client->state = ASKED;
	client->due = load->now + PATIENCE;
}

/* From an address of its own, so that ports never run out. */
static void open_client(struct load *load, struct client *client)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct epoll_event event = {.events = EPOLLOUT, .data.ptr = client};
	int on = 1;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	from.sin_addr.s_addr = htonl(0x7f000101 + (uint32_t)client->number);
	if (client->fd == -1 ||
	    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == -1 ||
	    bind(client->fd, (struct sockaddr *)&from, sizeof from) == -1)
		err(125, "socket");
	if (connect(client->fd, (struct sockaddr *)&load->to, sizeof load->to) == -1 &&
	    errno != EINPROGRESS) {
		lose(load, client, strerror(errno));
		return;
	}
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) == -1)
		err(125, "epoll_ctl");
	client->state = CONNECTING;
	client->due = load->now + PATIENCE;
}

static void ask(struct load *load, struct client *client)
{
	if (client->fd >= 0)
		send_request(load, client);
	else
		open_client(load, client);
}

static void on_connected(struct load *load, struct client *client)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	int failure = 0;
	socklen_t length = sizeof failure;

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failure, &length);
	if (failure) {
		lose(load, client, strerror(failure));
		return;
	}
	if (epoll_ctl(load->epoll, EPOLL_CTL_MOD, client->fd, &event) == -1)
		err(125, "epoll_ctl");
	send_request(load, client);
}

/* --- answers --- */

static const char *header(const struct client *client, const char *end, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = strstr(client->bytes, "\r\n"); line < end;
	     line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, length) == 0)
			return line + 2 + length;
	}
	return NULL;
}

static void take_answer(struct load *load, struct client *client, const char *end, bool last)
{
	long number = strtol(end + 4, NULL, 10);

	if (number > load->newest) {
		load->newest = number;
		printf("new %ld\n", number);
		fflush(stdout);
	}
	load->answers++;
	load->last += client->keep && last;
	client->answers++;
	client->length = 0;
	if (!client->keep || last)
		close_client(client);
	rest(load, client, load->pause ? (int)(random() % (2 * load->pause + 1)) : 0);
}

static void look(struct load *load, struct client *client)
{
	const char *end, *size, *connection;
	size_t whole;

	client->bytes[client->length] = '\0';
	end = strstr(client->bytes, "\r\n\r\n");
	if (!end) {
		if (client->length == ANSWER_MAX)
			lose(load, client, "wrong");
		return;
	}
	size = header(client, end, "content-length: ");
	whole = (size_t)(end + 4 - client->bytes) + strtoul(size ? size : "", NULL, 10);
	if (strncmp(client->bytes, "HTTP/1.1 200 ", 13) != 0 || !size || client->length > whole ||
	    whole > ANSWER_MAX) {
		lose(load, client, "wrong");
	} else if (client->length == whole) {
		connection = header(client, end, "connection: ");
		take_answer(load, client, end,
			    connection && strncasecmp(connection, "close", 5) == 0);
	}
}

static void on_end(struct load *load, struct client *client, const char *how)
{
	if (client->state == RESTING) {
		close_client(client);
	} else if (client->answers > 0 && client->length == 0) {
		load->repeated++;
		close_client(client);
		open_client(load, client);
	} else {
		lose(load, client, how);
	}
}

static void on_bytes(struct load *load, struct client *client)
{
	ssize_t length =
	    recv(client->fd, client->bytes + client->length, ANSWER_MAX - client->length, 0);

	if (length == -1 && errno == EAGAIN)
		return;
	if (length <= 0) {
		on_end(load, client, length == 0 ? "end" : strerror(errno));
		return;
	}
	client->length += (size_t)length;
	if (client->state == RESTING)
		lose(load, client, "unasked");
	else
		look(load, client);
}

/* --- all of them --- */

static void on_due(struct load *load, struct client *client)
{
	if (client->state == RESTING)
		ask(load, client);
	else
		lose(load, client, "late");
}

static void begin_end(struct load *load)
{
	epoll_ctl(load->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
	load->over = true;
	for (int i = 0; i < load->count; i++)
		if (load->clients[i].state == RESTING)
			rest(load, &load->clients[i], 0);
}

static void wait_events(struct load *load)
{
	struct epoll_event events[CLIENTS_MAX];
	int64_t due = load->now + PATIENCE;
	int count;

	for (int i = 0; i < load->count; i++)
		if (load->clients[i].state != GONE && load->clients[i].due < due)
			due = load->clients[i].due;
	count = epoll_wait(load->epoll, events, CLIENTS_MAX,
			   due > load->now ? (int)(due - load->now) : 0);
	load->now = now();
	for (int i = 0; i < count; i++) {
		struct client *client = events[i].data.ptr;

		if (!client)
			begin_end(load);
		else if (client->state == CONNECTING)
			on_connected(load, client);
		else if (client->state != GONE)
			on_bytes(load, client);
	}
}

static void run(struct load *load)
{
	struct epoll_event input = {.events = EPOLLIN};

	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &input) == -1)
		err(125, "standard input");
	load->now = now();
	while (load->gone < load->count) {
		for (int i = 0; i < load->count; i++)
			if (load->clients[i].state != GONE && load->clients[i].due <= load->now)
				on_due(load, &load->clients[i]);
		wait_events(load);
	}
	printf("over answers=%zu repeated=%zu last=%zu lost=%zu\n", load->answers, load->repeated,
	       load->last, load->lost);
}

int main(int argc, char **argv)
{
	static struct load load = {.to.sin_family = AF_INET, .newest = -1};

	for (int option; (option = getopt(argc, argv, "k:f:p:")) != -1;) {
		if (option == 'k')
			load.kept = atoi(optarg);
		else if (option == 'f')
			load.fresh = atoi(optarg);
		else if (option == 'p')
			load.pause = atoi(optarg);
		else
			return 125;
	}
	load.count = load.kept + load.fresh;
	if (argc - optind != 2 || load.count < 1 || load.count > CLIENTS_MAX ||
	    inet_pton(AF_INET, argv[optind], &load.to.sin_addr) != 1)
		return 125;
	load.to.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	for (int i = 0; i < load.count; i++)
		load.clients[i] = (struct client){.fd = -1, .number = i, .keep = i < load.kept};
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (load.epoll == -1)
		err(125, "epoll_create1");
	run(&load);
	return 0;
}
