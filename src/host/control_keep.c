#include "host/control_keep.h"

#include <unistd.h>

#include "host/control_client.h"

static const struct {
	enum client_state state;
	enum control_wait wait;
} waits[] = {
    {CLIENT_UPGRADES, CONTROL_WAIT_UPGRADE},
    {CLIENT_RELOADS, CONTROL_WAIT_RELOAD},
    {CLIENT_FOLLOWS, CONTROL_WAIT_LINES},
};

/* Half a frame cannot be handed over: one that does not read what it is sent stays behind. */
static bool is_kept(const struct control_client *client, struct control_kept *kept)
{
	uv_os_fd_t fd;

	if (client->closing || control_client_unread(client) > 0 ||
	    uv_fileno((const uv_handle_t *)&client->pipe, &fd) < 0)
		return false;
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		if (client->state != waits[i].state)
			continue;
		*kept = (struct control_kept){fd, waits[i].wait, client->position};
		return true;
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

struct control_client *control_adopt(struct control *control, const struct control_kept *kept)
{
	struct control_client *client = control_client_make(control);

	if (!client) {
		close(kept->fd);
		return NULL;
	}
	client->state = state_of(kept->wait);
	client->position = kept->position;
	client->owed = kept->wait != CONTROL_WAIT_LINES;
	if (uv_pipe_open(&client->pipe, kept->fd) < 0) {
		close(kept->fd);
		control_client_close(client);
		return client;
	}
	control_recognise(client, kept->fd);
	control_client_go_on(client);
	if (kept->wait == CONTROL_WAIT_LINES && !client->closing)
		control_request_follow(client);
	return client;
}
