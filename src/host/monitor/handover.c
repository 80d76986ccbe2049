#include "host/monitor/handover.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/log.h"
#include "spec/codec.h"

/* The version changes with every change of the functions here and in handover_daemon.c, and of what
 * the workers of the image before go on saying: host/channel.h and host/relay_form.h. An image
 * that cannot read another's version says so when it is tried, and nothing has changed. */

enum { HANDOVER_VERSION = 2 };

static const char handover_magic[8] = "luvd-own";

static void code_moment(struct codec *codec, int64_t *moment)
{
	codec_i64(codec, moment, 0);
}

static void code_head(struct codec *codec, struct handover *handover)
{
	char magic[sizeof handover_magic];
	uint32_t version = HANDOVER_VERSION;

	memcpy(magic, handover_magic, sizeof magic);
	codec_bytes(codec, magic, sizeof magic);
	codec_u32(codec, &version);
	if (memcmp(magic, handover_magic, sizeof magic) != 0 || version != HANDOVER_VERSION)
		codec->failed = true;
	codec_owned_text(codec, &handover->version);
	if (!handover->version)
		codec->failed = true;
}

static void code_generation(struct codec *codec, struct handover_generation *generation)
{
	codec_int(codec, &generation->id, 1, INT_MAX);
	handover_code_fd(codec, &generation->bundle_fd);
	if (generation->bundle_fd < 0)
		codec->failed = true;
}

static void code_member(struct codec *codec, struct handover_member *member)
{
	int pid = member->pid;

	codec_int(codec, &member->generation, 1, INT_MAX);
	codec_int(codec, &member->number, 1, WORKERS_MAX);
	codec_int(codec, &pid, 1, INT_MAX);
	member->pid = pid;
	handover_code_fd(codec, &member->pidfd);
	handover_code_fd(codec, &member->channel_fd);
	handover_code_fd(codec, &member->relay_fd);
	handover_code_fd(codec, &member->output_fd);
	codec_owned_bytes(codec, &member->rest, &member->rest_length);
	if (member->rest_length > LOG_REST_MAX)
		codec->failed = true;
	code_moment(codec, &member->unheard);
	code_moment(codec, &member->lag);
	handover_code_fixed(codec, member->step, sizeof member->step);
	handover_code_fixed(codec, member->text, sizeof member->text);
	handover_code_fixed(codec, member->cgroup, sizeof member->cgroup);
}

static void code_client(struct codec *codec, struct control_kept *client)
{
	int wait = (int)client->wait;

	handover_code_fd(codec, &client->fd);
	if (client->fd < 0)
		codec->failed = true;
	codec_int(codec, &wait, 0, CONTROL_WAITS - 1);
	client->wait = (enum control_wait)wait;
	codec_u64(codec, &client->position);
	handover_code_fixed(codec, client->text, sizeof client->text);
}

/* Each element takes more bytes than this, which bounds what a count can claim. */
enum { LEAST_GENERATION = 16, LEAST_MEMBER = 64, LEAST_CLIENT = 16, LEAST_STRANGER = 8 };

static void code_generations(struct codec *codec, struct handover *handover)
{
	void *array = handover->generations;

	codec_owned_array(codec, &array, &handover->generation_count, sizeof *handover->generations,
			  LEAST_GENERATION);
	handover->generations = array;
	for (size_t i = 0; i < handover->generation_count; i++)
		code_generation(codec, &handover->generations[i]);
}

static void code_members(struct codec *codec, struct handover *handover)
{
	void *array = handover->members;

	codec_owned_array(codec, &array, &handover->member_count, sizeof *handover->members,
			  LEAST_MEMBER);
	handover->members = array;
	for (size_t i = 0; i < handover->member_count; i++)
		code_member(codec, &handover->members[i]);
}

static void code_clients(struct codec *codec, struct handover *handover)
{
	void *array = handover->clients;

	codec_owned_array(codec, &array, &handover->client_count, sizeof *handover->clients,
			  LEAST_CLIENT);
	handover->clients = array;
	for (size_t i = 0; i < handover->client_count; i++)
		code_client(codec, &handover->clients[i]);
}

static void code_strangers(struct codec *codec, struct handover *handover)
{
	void *array = handover->strangers;

	codec_owned_array(codec, &array, &handover->stranger_count, sizeof *handover->strangers,
			  LEAST_STRANGER);
	handover->strangers = array;
	for (size_t i = 0; i < handover->stranger_count; i++)
		codec_int(codec, &handover->strangers[i], 1, INT_MAX);
}

static void code_rest(struct codec *codec, struct handover *handover)
{
	codec_owned_bytes(codec, &handover->crew, &handover->crew_length);
	codec_owned_bytes(codec, &handover->sockets, &handover->sockets_length);
	codec_owned_list(codec, &handover->lines);
	codec_u64(codec, &handover->next_line);
	code_moment(codec, &handover->reload_at);
	codec_bool(codec, &handover->reload_done);
	code_moment(codec, &handover->reload_took);
	codec_u64(codec, &handover->reload_accepted);
	codec_u64(codec, &handover->reload_refused);
	codec_owned_text(codec, &handover->reload_text);
	handover_code_fixed(codec, handover->status, sizeof handover->status);
	if (!handover->crew || !handover->sockets || !handover->lines)
		codec->failed = true;
}

static void code_handover(struct codec *codec, struct handover *handover)
{
	code_head(codec, handover);
	if (codec->failed)
		return;
	code_moment(codec, &handover->since);
	code_moment(codec, &handover->begun);
	handover_code_daemon(codec, &handover->daemon);
	codec_int(codec, &handover->current, 1, INT_MAX);
	code_generations(codec, handover);
	code_members(codec, handover);
	code_clients(codec, handover);
	code_strangers(codec, handover);
	code_rest(codec, handover);
}

/* The source has a form of its own, which a loader reads too. */
static int write_source(struct codec *codec, const struct source *source, struct err *err)
{
	unsigned char *bytes = NULL;
	char *text;
	size_t length;

	if (source_encode(source, &bytes, &length, err) < 0)
		return -1;
	text = (char *)bytes;
	codec_owned_bytes(codec, &text, &length);
	free(bytes);
	return 0;
}

static void read_source(struct codec *codec, struct source *source)
{
	struct err err = {0};
	char *bytes = NULL;
	size_t length = 0;

	codec_owned_bytes(codec, &bytes, &length);
	if (!bytes || codec->failed ||
	    source_decode(source, (unsigned char *)bytes, length, &err) < 0)
		codec->failed = true;
	free(bytes);
}

int handover_encode(const struct handover *handover, unsigned char **bytes, size_t *length,
		    struct err *err)
{
	struct codec codec = {.out = open_memstream((char **)bytes, length)};
	struct handover copy = *handover; /* the codec writes back what it reads */
	bool failed;

	if (!codec.out)
		return err_sys(err, "cannot write the daemon's state");
	code_handover(&codec, &copy);
	failed = write_source(&codec, &handover->daemon.source, err) < 0 || codec.failed ||
		 ferror(codec.out);
	if (fclose(codec.out) == 0 && !failed && *length <= HANDOVER_SIZE_MAX)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return err_set(err, "cannot write the daemon's state");
}

int handover_decode(struct handover *handover, const unsigned char *bytes, size_t length,
		    struct err *err)
{
	struct codec codec = {.reading = true, .in = bytes, .left = length};

	memset(handover, 0, sizeof *handover);
	daemon_init(&handover->daemon);
	codec.failed = length > HANDOVER_SIZE_MAX;
	code_handover(&codec, handover);
	if (!codec.failed)
		read_source(&codec, &handover->daemon.source);
	if (!codec.failed && codec.left == 0)
		return 0;
	handover_finish(handover);
	return err_set(err, "the daemon's state is not of this version, cut or damaged");
}

void handover_finish(struct handover *handover)
{
	free(handover->version);
	handover_finish_daemon(&handover->daemon);
	free(handover->crew);
	free(handover->sockets);
	free(handover->generations);
	for (size_t i = 0; i < handover->member_count; i++)
		free(handover->members[i].rest);
	free(handover->members);
	free(handover->clients);
	for (size_t i = 0; handover->lines && handover->lines[i]; i++)
		free(handover->lines[i]);
	free(handover->lines);
	free(handover->reload_text);
	free(handover->strangers);
	memset(handover, 0, sizeof *handover);
}

/* --- descriptors --- */

struct fds {
	int *list;
	size_t size, count;
};

static void note(struct fds *fds, int fd)
{
	if (fd < 0)
		return;
	if (fds->count < fds->size)
		fds->list[fds->count] = fd;
	fds->count++;
}

static void note_daemon(struct fds *fds, const struct daemon *daemon)
{
	const int open[] = {daemon->self_fd,       daemon->null_fd,   daemon->lock_fd,
			    daemon->pidfile_fd,    daemon->output_fd, daemon->control_fd,
			    daemon->notify_socket, daemon->notify_fd, daemon->terminal_fd,
			    daemon->sink.fd,       daemon->witness_fd};

	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		note(fds, open[i]);
}

size_t handover_descriptors(const struct handover *handover, int *list, size_t size)
{
	struct fds fds = {.size = size};

	fds.list = list;
	note_daemon(&fds, &handover->daemon);
	for (size_t i = 0; i < handover->generation_count; i++)
		note(&fds, handover->generations[i].bundle_fd);
	for (size_t i = 0; i < handover->member_count; i++) {
		const struct handover_member *member = &handover->members[i];

		note(&fds, member->pidfd);
		note(&fds, member->channel_fd);
		note(&fds, member->relay_fd);
		note(&fds, member->output_fd);
	}
	for (size_t i = 0; i < handover->client_count; i++)
		note(&fds, handover->clients[i].fd);
	return fds.count;
}
