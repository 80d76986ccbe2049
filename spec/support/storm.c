/* Thousands of clients of one tcp listener that behave badly.
 *
 *   storm [-s SOURCES] [-r REQUEST] [-t TICK] HOST PORT MODE COUNT [MODE COUNT]...
 *
 *   idle     connects and says nothing
 *   trickle  sends a head, one byte each TICK milliseconds, without an end
 *   deaf     sends REQUEST and never reads
 *   reset    sends REQUEST; resets at once, or in the middle of the answer
 *   half     sends REQUEST, closes its side and reads to the end
 *   garbage  sends bytes by chance and reads to the end
 *
 *   -s  connects from that many addresses, 127.0.1.1 and following, instead of the usual one
 *
 * Prints "open N" when each client is connected, "over KIND=N ..." when the last has ended; the
 * kinds are the status of an HTTP answer, bytes (any other answer), silent (an end without a byte),
 * cut (a reset by the peer), reset (by us). Ends when its standard input does; all that is still
 * open is closed by that. */

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* At the same time: a longer queue than the kernel keeps would cost seconds. */
enum { CONNECTING_MAX = 100, GARBAGE = 4096, HEAD = 12, STATUS_MAX = 600 };

enum mode { IDLE, TRICKLE, DEAF, RESET, HALF, RANDOM, MODES };
static const char *const modes[MODES] = {"idle", "trickle", "deaf", "reset", "half", "garbage"};

struct client {
	int fd;
	uint8_t mode;
	bool connected, early;
	uint8_t length; /* of head */
	uint16_t sent;
	char head[HEAD];
};

struct storm {
	int epoll;
	struct sockaddr_in to;
	int sources, tick;
	const char *request;
	struct client *clients;
	size_t count, next, connecting, connected, ended;
	size_t statuses[STATUS_MAX], bytes, silent, cut, reset;
};

/* --- the end of a client --- */

static void count_answer(struct storm *storm, const struct client *client)
{
	int status = 0;

	if (client->length == 0)
		storm->silent++;
	else if (sscanf(client->head, "HTTP/1.1 %3d", &status) == 1 && status < STATUS_MAX)
		storm->statuses[status]++;
	else
		storm->bytes++;
}

static void tell_over(const struct storm *storm)
{
	printf("over");
	for (int status = 0; status < STATUS_MAX; status++)
		if (storm->statuses[status])
			printf(" %d=%zu", status, storm->statuses[status]);
	printf(" bytes=%zu silent=%zu cut=%zu reset=%zu\n", storm->bytes, storm->silent, storm->cut,
	       storm->reset);
	fflush(stdout);
}

static void end(struct storm *storm, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	if (++storm->ended == storm->count)
		tell_over(storm);
}

static void end_by_reset(struct storm *storm, struct client *client)
{
	struct linger hard = {.l_onoff = 1};

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
	storm->reset++;
	end(storm, client);
}

/* --- the beginning --- */

static void watch(const struct storm *storm, struct client *client, int call, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(storm->epoll, call, client->fd, &event) == -1)
		err(125, "epoll_ctl");
}

static void open_next(struct storm *storm)
{
	struct client *client = &storm->clients[storm->next];
	struct sockaddr_in from = {.sin_family = AF_INET};
	int on = 1, little = 4096;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (client->fd == -1)
		err(125, "socket");
	if (client->mode == DEAF)
		setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
	setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	if (storm->sources > 0) {
		from.sin_addr.s_addr = htonl(0x7f000101 + (uint32_t)(storm->next % storm->sources));
		if (bind(client->fd, (struct sockaddr *)&from, sizeof from) == -1)
			err(125, "bind");
	}
	if (connect(client->fd, (struct sockaddr *)&storm->to, sizeof storm->to) == -1 &&
	    errno != EINPROGRESS)
		err(125, "connect");
	watch(storm, client, EPOLL_CTL_ADD, EPOLLOUT);
	storm->next++;
	storm->connecting++;
}

static void send_all(const struct client *client, const char *bytes, size_t length)
{
	/* Nothing of this is longer than an empty socket takes; a peer that is gone shows later. */
	if (send(client->fd, bytes, length, MSG_NOSIGNAL) == -1 && errno == EAGAIN)
		err(125, "send");
}

static void send_garbage(const struct client *client)
{
	char bytes[GARBAGE];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(random() >> 8);
	send_all(client, bytes, sizeof bytes);
}

static void begin(struct storm *storm, struct client *client)
{
	/* A deaf one only wants to know of the end. */
	watch(storm, client, EPOLL_CTL_MOD, client->mode == DEAF ? EPOLLRDHUP : EPOLLIN);
	if (client->mode == RANDOM)
		send_garbage(client);
	else if (client->mode >= DEAF)
		send_all(client, storm->request, strlen(storm->request));
	if (client->mode == HALF)
		shutdown(client->fd, SHUT_WR);
	else if (client->mode == RESET && client->early)
		end_by_reset(storm, client);
}

static void on_connected(struct storm *storm, struct client *client)
{
	int failure = 0;
	socklen_t length = sizeof failure;

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &failure, &length);
	client->connected = true;
	storm->connecting--;
	if (++storm->connected == storm->count) {
		printf("open %zu\n", storm->count);
		fflush(stdout);
	}
	if (failure) { /* reset before we looked */
		storm->cut++;
		end(storm, client);
	} else {
		begin(storm, client);
	}
}

/* --- while it lives --- */

static void take(struct client *client, const char *bytes, size_t length)
{
	size_t room = HEAD - client->length;

	memcpy(client->head + client->length, bytes, length < room ? length : room);
	client->length += (uint8_t)(length < room ? length : room);
}

static void on_bytes(struct storm *storm, struct client *client)
{
	char bytes[65536];
	ssize_t length = recv(client->fd, bytes, sizeof bytes, 0);

	if (length == -1 && errno == EAGAIN)
		return;
	if (length > 0 && client->mode == RESET) {
		end_by_reset(storm, client);
	} else if (length > 0) {
		take(client, bytes, (size_t)length);
	} else {
		if (length == 0)
			count_answer(storm, client);
		else
			storm->cut++;
		end(storm, client);
	}
}

static void on_event(struct storm *storm, struct client *client)
{
	if (!client->connected) {
		on_connected(storm, client);
	} else if (client->mode == DEAF) {
		storm->cut++;
		end(storm, client);
	} else {
		on_bytes(storm, client);
	}
}

static void trickle(struct storm *storm)
{
	static const char head[] = "GET / HTTP/1.1\r\nHost: here\r\nSlow: ";

	for (size_t i = 0; i < storm->next; i++) {
		struct client *client = &storm->clients[i];
		size_t at = client->sent;

		if (client->mode != TRICKLE || client->fd < 0 || !client->connected)
			continue;
		send_all(client, at < sizeof head - 1 ? &head[at] : "a", 1);
		client->sent++;
	}
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void run(struct storm *storm)
{
	struct epoll_event events[256], input = {.events = EPOLLIN};
	int64_t due = now();

	if (epoll_ctl(storm->epoll, EPOLL_CTL_ADD, 0, &input) == -1)
		err(125, "standard input");
	for (;;) {
		int64_t left;
		int count;

		while (storm->next < storm->count && storm->connecting < CONNECTING_MAX)
			open_next(storm);
		left = due - now();
		count = epoll_wait(storm->epoll, events, 256, left > 0 ? (int)left : 0);
		for (int i = 0; i < count; i++) {
			if (!events[i].data.ptr)
				return;
			on_event(storm, events[i].data.ptr);
		}
		if (now() < due)
			continue;
		trickle(storm);
		due = now() + storm->tick;
	}
}

/* --- the command line --- */

static void add_clients(struct storm *storm, const char *name, const char *digits)
{
	size_t count = strtoul(digits, NULL, 10);
	uint8_t mode = 0;

	while (mode < MODES && strcmp(modes[mode], name) != 0)
		mode++;
	storm->clients = realloc(storm->clients, (storm->count + count) * sizeof *storm->clients);
	if (mode == MODES || !storm->clients)
		errx(125, "%s", name);
	for (size_t i = 0; i < count; i++)
		storm->clients[storm->count++] =
		    (struct client){.fd = -1, .mode = mode, .early = i % 2 == 0};
}

/* The modes are mixed. */
static void shuffle(struct storm *storm)
{
	for (size_t i = storm->count; i > 1; i--) {
		size_t other = (size_t)random() % i;
		struct client client = storm->clients[i - 1];

		storm->clients[i - 1] = storm->clients[other];
		storm->clients[other] = client;
	}
}

static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(125, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(125, "setrlimit");
}

int main(int argc, char **argv)
{
	struct storm storm = {.to.sin_family = AF_INET, .tick = 250, .request = "\n"};

	for (int option; (option = getopt(argc, argv, "+s:r:t:")) != -1;) {
		if (option == 's')
			storm.sources = atoi(optarg);
		else if (option == 'r')
			storm.request = optarg;
		else if (option == 't')
			storm.tick = atoi(optarg);
		else
			return 125;
	}
	if (argc - optind < 4 || (argc - optind) % 2 != 0 ||
	    inet_pton(AF_INET, argv[optind], &storm.to.sin_addr) != 1)
		return 125;
	storm.to.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	for (int i = optind + 2; i < argc; i += 2)
		add_clients(&storm, argv[i], argv[i + 1]);
	shuffle(&storm);
	allow_descriptors();
	storm.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (storm.epoll == -1)
		err(125, "epoll_create1");
	run(&storm);
	return 0;
}
