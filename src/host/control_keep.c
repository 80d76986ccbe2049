#include "host/control_keep.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/control_client.h"

static const struct {
	enum client_state state;
	enum control_wait wait;
} waits[] = {
    {CLIENT_ASKS, CONTROL_WAIT_REQUEST},     {CLIENT_LOOKS, CONTROL_WAIT_LOOK},
    {CLIENT_UPGRADES, CONTROL_WAIT_UPGRADE}, {CLIENT_RELOADS, CONTROL_WAIT_RELOAD},
    {CLIENT_FOLLOWS, CONTROL_WAIT_LINES},
};

/* The bytes of its request are still where they were read. */
static bool copy_request(const struct control_client *client, char text[CONTROL_TEXT_MAX])
{
	struct frame frame;

	if (frame_parse(&frame, client->request, sizeof client->request, REQUEST_MAX + 1) <= 0 ||
	    frame.length >= CONTROL_TEXT_MAX)
		return false;
	memcpy(text, frame.payload, frame.length);
	text[frame.length] = '\0';
	return true;
}

/* Half a frame cannot be handed over: who does not read what it is sent, or has not sent all, stays
 * behind. */
static bool is_kept(const struct control_client *client, struct control_kept *kept)
{
	uv_os_fd_t fd;

	if (client->closing || client->have > 0 || control_client_unread(client) > 0 ||
	    uv_fileno((const uv_handle_t *)&client->pipe, &fd) < 0)
		return false;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		if (client->state != waits[i].state)
			continue;
		*kept = (struct control_kept){
		    .fd = fd, .wait = waits[i].wait, .position = client->position};
		return kept->wait != CONTROL_WAIT_LOOK || copy_request(client, kept->text);
	}
	return false;
}

size_t control_keep(const struct control *control, struct control_kept *list, size_t size)
{
	const struct control_client *client = control ? control->clients : NULL;
	size_t count = 0;

	for (; client && count < size; client = client->next)
		count += is_kept(client, &list[count]);
	return count;
}

void control_dismiss(struct control *control)
{
	struct control_client *client = control ? control->clients : NULL;
	struct control_kept kept;

	for (; client; client = client->next) {
		if (client->closing || is_kept(client, &kept))
			continue;
		if (client->state != CLIENT_ENDED)
			control_client_end_now(client, EXIT_FAILED,
					       "the daemon is being upgraded: ask again");
		control_client_close(client);
	}
}

static enum client_state state_of(enum control_wait wait)
{
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		if (waits[i].wait == wait)
			return waits[i].state;
	return CLIENT_FOLLOWS;
}

/* What it waits for goes on. */
static void go_on(struct control_client *client, const struct control_kept *kept)
{
	char text[CONTROL_TEXT_MAX];

	switch (kept->wait) {
	case CONTROL_WAIT_REQUEST:
		control_client_listen(client);
		return;
	case CONTROL_WAIT_LOOK:
		snprintf(text, sizeof text, "%s", kept->text);
		client->state = CLIENT_ASKS;
		control_client_go_on(client);
		control_request_handle(client, text);
		return;
	case CONTROL_WAIT_LINES:
		control_client_go_on(client);
		control_request_follow(client);
		return;
	default:
		client->owed = true;
		control_client_go_on(client);
	}
}

struct control_client *control_adopt(struct control *control, const struct control_kept *kept)
{
	struct control_client *client = control_client_make(control);

	if (!client) {
		close(kept->fd);
		return NULL;
	}
	client->state = state_of(kept->wait);
	client->position = kept->position;
	if (uv_pipe_open(&client->pipe, kept->fd) < 0) {
		close(kept->fd);
		control_client_close(client);
		return NULL;
	}
	control_recognise(client, kept->fd);
	go_on(client, kept);
	return client;
}
