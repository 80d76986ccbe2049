#include "host/control_client.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer_status(struct control_client *client, const char *arguments)
{
	struct control *control = client->control;
	char *text = NULL;
	size_t length = 0;
	FILE *out;

	if (*arguments && strcmp(arguments, "json") != 0) {
		control_client_end(client, EXIT_USAGE, "expected: status [json]");
		return;
	}
	out = open_memstream(&text, &length);
	if (!out) {
		control_client_end(client, EXIT_FAILED, "out of memory");
		return;
	}
	control->calls.status(control->calls.data, *arguments != 0, out);
	fclose(out);
	control_client_print(client, text, length);
	free(text);
	control_client_end(client, EXIT_DONE, NULL);
}

/* How long the host may take for what it was asked, with the time that loader, log and last
 * cleaning have of their own. */
static void say_within(struct control_client *client, int64_t timeout_ms)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%lld", (long long)timeout_ms + MARGIN_MS);

	control_client_send(client, FRAME_WITHIN, text, (size_t)length);
}

/* The arguments of --set, a frame each: what restart starts the next one with. */
static void answer_sets(struct control_client *client, const char *arguments)
{
	char **sets = client->control->daemon->source.sets;

	(void)arguments;
	for (; sets && *sets; sets++)
		control_client_print(client, *sets, strlen(*sets));
	control_client_end(client, EXIT_DONE, NULL);
}

static void answer_stop(struct control_client *client, const char *arguments)
{
	(void)arguments;
	say_within(client, client->control->daemon->spec->timeout_stop);
	if (client->closing)
		return;
	client->state = CLIENT_STOPS;
	client->owed = true;
	client->control->calls.stop(client->control->calls.data, client);
}

static void answer_reload(struct control_client *client, const char *arguments)
{
	(void)arguments;
	/* Twice: it may have to wait for the end of another one. */
	say_within(client, 2 * client->control->daemon->spec->timeout_reload + MARGIN_MS);
	if (client->closing)
		return;
	client->state = CLIENT_RELOADS;
	client->owed = true;
	client->control->calls.reload(client->control->calls.data, client);
}

static void say_lost(struct control_client *client, uint64_t lost)
{
	bool json = client->control->daemon->spec->log.json;
	char text[96];
	int length = snprintf(text, sizeof text,
			      json ? "{\"message\":\"%llu line%s lost\"}\n" : "%llu line%s lost\n",
			      (unsigned long long)lost, lost == 1 ? " was" : "s were");

	control_client_print(client, text, (size_t)length);
}

/* Sends what the log has from the client's position on; no more than a slow reader can hold. */
static void send_lines(struct control_client *client, bool say)
{
	struct control *control = client->control;
	uint64_t lost;
	size_t length;

	while (!client->closing && control_client_unread(client) < FOLLOW_QUEUE) {
		length = log_read(control->log, &client->position, control->lines,
				  sizeof control->lines, &lost);
		if (lost && say)
			say_lost(client, lost);
		if (length == 0)
			break;
		control_client_print(client, control->lines, length);
		say = true;
	}
}

void control_request_follow(struct control_client *client)
{
	send_lines(client, true);
	if (!client->closing)
		control_client_limit(client);
}

/* "[follow] [N]". The last N lines, all that are kept when there is no N. */
static int parse_logs(const char *arguments, bool *follows, unsigned long *count)
{
	char *end;

	*follows = strncmp(arguments, "follow", 6) == 0 && (!arguments[6] || arguments[6] == ' ');
	if (*follows)
		arguments += arguments[6] ? 7 : 6;
	*count = ULONG_MAX;
	if (!*arguments)
		return 0;
	if (*arguments < '0' || *arguments > '9')
		return -1;
	*count = strtoul(arguments, &end, 10);
	return *end ? -1 : 0;
}

static void answer_logs(struct control_client *client, const char *arguments)
{
	unsigned long count;
	uint64_t next = log_next(client->control->log);
	bool follows;

	if (parse_logs(arguments, &follows, &count) < 0) {
		control_client_end(client, EXIT_USAGE, "expected: logs [follow] [N]");
		return;
	}
	client->position = next > count ? next - count : 0;
	send_lines(client, false);
	if (!follows) {
		control_client_end(client, EXIT_DONE, NULL);
		return;
	}
	client->state = CLIENT_FOLLOWS;
	control_request_follow(client);
}

/* refused: the exit code of who may not. */
static const struct request {
	const char *name;
	enum client_right right;
	int refused;
	void (*answer)(struct control_client *client, const char *arguments);
} requests[] = {
    {"status", RIGHT_VIEW, EXIT_UNKNOWN, answer_status},
    {"logs", RIGHT_VIEW, EXIT_FAILED, answer_logs},
    {"sets", RIGHT_ALL, EXIT_FAILED, answer_sets},
    {"reload", RIGHT_ALL, EXIT_FAILED, answer_reload},
    {"stop", RIGHT_ALL, EXIT_FAILED, answer_stop},
};

static const struct request *find_request(char *text, const char **arguments)
{
	char *space = strchr(text, ' ');

	*arguments = "";
	if (space) {
		*space = 0;
		*arguments = space + 1;
	}
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
		if (strcmp(text, requests[i].name) == 0)
			return &requests[i];
	return NULL;
}

void control_request_handle(struct control_client *client, char *text)
{
	const char *arguments;
	const struct request *request = find_request(text, &arguments);
	char refusal[128];

	uv_timer_stop(&client->timer);
	if (!request) {
		control_client_end(client, EXIT_USAGE, "unknown request");
		return;
	}
	if (client->right < request->right) {
		snprintf(refusal, sizeof refusal,
			 "permission denied: %s is for root and the user "
			 "who started the daemon%s",
			 request->name,
			 request->right == RIGHT_VIEW ? ", and for the daemon's own" : "");
		control_client_end(client, request->refused, refusal);
		return;
	}
	request->answer(client, arguments);
}
