#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/monitor/handover.h"
#include "spec/codec.h"

void handover_code_fd(struct codec *codec, int *fd)
{
	codec_int(codec, fd, -1, INT_MAX);
	/* 0, 1 and 2 are every image's own. */
	if (*fd >= 0 && *fd < 3)
		codec->failed = true;
	if (codec->failed && codec->reading)
		*fd = -1;
}

void handover_code_fixed(struct codec *codec, char *text, size_t size)
{
	size_t length = strnlen(text, size);

	codec_size(codec, &length);
	if (length >= size)
		codec->failed = true;
	if (codec->failed)
		length = 0;
	codec_bytes(codec, text, length);
	if (!codec->reading)
		return;
	memset(text + length, 0, size - length);
	if (strlen(text) != length)
		codec->failed = true;
}

static void code_made(struct codec *codec, struct made *made)
{
	uint64_t device = made->device, inode = made->inode;

	codec_u64(codec, &device);
	codec_u64(codec, &inode);
	*made = (struct made){.device = (dev_t)device, .inode = (ino_t)inode};
}

static void code_pid(struct codec *codec, pid_t *pid)
{
	int number = *pid;

	codec_int(codec, &number, 0, INT_MAX);
	*pid = number;
}

static void code_inherited(struct codec *codec, struct machine *machine)
{
	uint32_t count = (uint32_t)machine->inherited_count;

	codec_u32(codec, &count);
	if (count > INHERITED_MAX)
		codec->failed = true;
	machine->inherited_count = codec->failed ? 0 : count;
	for (size_t i = 0; i < machine->inherited_count; i++) {
		struct inherited *inherited = &machine->inherited[i];

		codec_int(codec, &inherited->fd, 0, INT_MAX);
		handover_code_fixed(codec, inherited->name, sizeof inherited->name);
		handover_code_fixed(codec, inherited->address, sizeof inherited->address);
	}
}

/* As it was found before the monitor gave privileges up: a worker's plan is made from this. */
static void code_machine(struct codec *codec, struct machine *machine)
{
	codec_u32(codec, &machine->uid);
	codec_u32(codec, &machine->euid);
	codec_u32(codec, &machine->gid);
	codec_bool(codec, &machine->root);
	codec_u64(codec, &machine->capabilities);
	codec_u64(codec, &machine->bounding);
	codec_bool(codec, &machine->no_new_privs);
	codec_int(codec, &machine->port_floor, 0, INT_MAX);
	for (size_t i = 0; i < LIMITS_MAX; i++)
		codec_u64(codec, &machine->hard[i]);
	code_inherited(codec, machine);
	handover_code_fixed(codec, machine->notify_socket, sizeof machine->notify_socket);
	codec_i64(codec, &machine->watchdog_usec, 0);
	codec_int(codec, &machine->notify_fd, -1, INT_MAX);
	codec_bool(codec, &machine->stderr_is_journal);
	codec_bool(codec, &machine->stdout_is_journal);
	codec_bool(codec, &machine->stderr_is_file);
	codec_bool(codec, &machine->stdout_is_file);
	codec_int(codec, &machine->cpus, 0, INT_MAX);
}

static void code_folders(struct codec *codec, struct daemon *daemon)
{
	uint32_t count = (uint32_t)daemon->folders_made_count;

	codec_u32(codec, &count);
	if (count > FOLDERS_MADE_MAX)
		codec->failed = true;
	daemon->folders_made_count = codec->failed ? 0 : count;
	for (size_t i = 0; i < daemon->folders_made_count; i++) {
		struct made_folder *folder = &daemon->folders_made[i];

		codec_owned_text(codec, &folder->path);
		code_made(codec, &folder->made);
		if (!folder->path)
			codec->failed = true;
	}
}

static void code_sink(struct codec *codec, struct sink *sink)
{
	int kind = (int)sink->kind;

	codec_int(codec, &kind, SINK_STDERR, SINK_FILE);
	sink->kind = (enum sink_kind)kind;
	handover_code_fd(codec, &sink->fd);
	codec_bool(codec, &sink->journal);
}

static void code_descriptors(struct codec *codec, struct daemon *daemon)
{
	handover_code_fd(codec, &daemon->self_fd);
	handover_code_fd(codec, &daemon->null_fd);
	handover_code_fd(codec, &daemon->lock_fd);
	handover_code_fd(codec, &daemon->pidfile_fd);
	handover_code_fd(codec, &daemon->output_fd);
	handover_code_fd(codec, &daemon->control_fd);
	handover_code_fd(codec, &daemon->notify_socket);
	handover_code_fd(codec, &daemon->notify_fd);
	handover_code_fd(codec, &daemon->terminal_fd);
	handover_code_fd(codec, &daemon->witness_fd);
	code_sink(codec, &daemon->sink);
}

static void code_files(struct codec *codec, struct daemon *daemon)
{
	struct made pidfile = {daemon->pidfile_device, daemon->pidfile_inode};

	code_made(codec, &pidfile);
	daemon->pidfile_device = pidfile.device;
	daemon->pidfile_inode = pidfile.inode;
	code_folders(codec, daemon);
	code_made(codec, &daemon->log_made);
	code_made(codec, &daemon->control_made);
	code_made(codec, &daemon->record_made);
	code_made(codec, &daemon->root);
}

void handover_code_daemon(struct codec *codec, struct daemon *daemon)
{
	codec_owned_text(codec, &daemon->program);
	codec_bool(codec, &daemon->background);
	code_pid(codec, &daemon->launcher);
	code_pid(codec, &daemon->pid);
	code_machine(codec, &daemon->machine);
	code_descriptors(codec, daemon);
	code_files(codec, daemon);
	codec_owned_list(codec, &daemon->environment);
	/* Whoever has no kept file of itself could not go back. */
	if (!daemon->program || daemon->program[0] != '/' || daemon->self_fd < 0 ||
	    daemon->lock_fd < 0)
		codec->failed = true;
}

void handover_finish_daemon(struct daemon *daemon)
{
	free(daemon->program);
	for (size_t i = 0; i < daemon->folders_made_count; i++)
		free(daemon->folders_made[i].path);
	for (size_t i = 0; daemon->environment && daemon->environment[i]; i++)
		free(daemon->environment[i]);
	free(daemon->environment);
	source_finish(&daemon->source);
}
