#include "host/control_client.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void answer_status(struct control_client *client, const char *arguments)
{
	static const char *const forms[] = {[CONTROL_TEXT] = "",
					    [CONTROL_JSON] = "json",
					    [CONTROL_METRICS] = "metrics",
					    [CONTROL_AUDIT] = "audit"};
	const struct control_calls *calls = &client->control->calls;

	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (strcmp(arguments, forms[i]) != 0)
			continue;
		client->state = CLIENT_LOOKS;
		client->owed = true;
		calls->status(calls->data, client, (enum control_form)i);
		return;
	}
	control_client_end(client, EXIT_USAGE, "expected: status [json|metrics|audit]");
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

static void answer_upgrade(struct control_client *client, const char *arguments)
{
	static const char classic[] =
	    "this daemon cannot be upgraded: it has no monitor (workers = 0)";
	const struct control_calls *calls = &client->control->calls;
	const struct spec *spec = client->control->daemon->spec;

	(void)arguments;
	if (!calls->upgrade) {
		control_client_end(client, EXIT_FAILED,
				   client->control->daemon->spec->workers == 0
				       ? classic
				       : "this daemon cannot be upgraded");
		return;
	}
	/* It may wait for a reload, and the new workers for a generation that drains. */
	say_within(client,
		   spec->timeout_reload + spec->timeout_start + spec->timeout_drain + MARGIN_MS);
	if (client->closing)
		return;
	client->state = CLIENT_UPGRADES;
	client->owed = true;
	calls->upgrade(calls->data, client);
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
	bool console; /* root and the daemon's own user, whatever else they may */
	int refused;
	void (*answer)(struct control_client *client, const char *arguments);
} requests[] = {
    {"status", RIGHT_VIEW, false, EXIT_UNKNOWN, answer_status},
    {"logs", RIGHT_VIEW, false, EXIT_FAILED, answer_logs},
    {"console", RIGHT_VIEW, true, EXIT_FAILED, control_console_open},
    {"sets", RIGHT_ALL, false, EXIT_FAILED, answer_sets},
    {"reload", RIGHT_ALL, false, EXIT_FAILED, answer_reload},
    {"upgrade", RIGHT_ALL, false, EXIT_FAILED, answer_upgrade},
    {"stop", RIGHT_ALL, false, EXIT_FAILED, answer_stop},
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

static bool may(const struct control_client *client, const struct request *request)
{
	return request->console ? client->console : client->right >= request->right;
}

static void refuse(struct control_client *client, const struct request *request)
{
	char text[160];
	const char *whom =
	    request->console ? "root and the daemon's own user"
	    : request->right == RIGHT_VIEW
		? "root and the user who started the daemon, and for the daemon's own"
		: "root and the user who started the daemon";

	snprintf(text, sizeof text, "permission denied: %s is for %s", request->name, whom);
	control_client_end(client, request->refused, text);
}

void control_request_handle(struct control_client *client, char *text)
{
	const char *arguments;
	const struct request *request = find_request(text, &arguments);

	uv_timer_stop(&client->timer);
	if (!request) {
		control_client_end(client, EXIT_USAGE, "unknown request");
		return;
	}
	if (may(client, request))
		request->answer(client, arguments);
	else
		refuse(client, request);
}
