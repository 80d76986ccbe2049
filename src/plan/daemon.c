#include "plan/daemon.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/listener.h"
#include "sys/sys.h"

void daemon_init(struct daemon *daemon)
{
	memset(daemon, 0, sizeof *daemon);
	daemon->self_fd = daemon->null_fd = daemon->lock_fd = daemon->pidfile_fd = -1;
	daemon->sink.fd = daemon->bundle_fd = daemon->channel_fd = daemon->output_fd = -1;
	daemon->control_fd = daemon->notify_socket = daemon->notify_fd = daemon->witness_fd = -1;
	daemon->machine.notify_fd = daemon->terminal_fd = daemon->keeper_fd = -1;
	daemon->relay_fd = -1;
	daemon->generation = daemon->worker = 1;
	daemon->launcher = sys_pid();
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static size_t sockets_of_one(const struct listener *listener, int *list, size_t count, size_t size)
{
	if (listener->fd >= 0 && count < size)
		list[count++] = listener->fd;
	for (size_t i = 0; i < listener->other_count && count < size; i++)
		list[count++] = listener->others[i];
	return count;
}

size_t daemon_descriptors(const struct daemon *daemon, int *list, size_t size)
{
	const int single[] = {0,
			      1,
			      2,
			      daemon->self_fd,
			      daemon->null_fd,
			      daemon->lock_fd,
			      daemon->pidfile_fd,
			      daemon->sink.fd,
			      daemon->bundle_fd,
			      daemon->channel_fd,
			      daemon->output_fd,
			      daemon->control_fd,
			      daemon->notify_socket,
			      daemon->notify_fd,
			      daemon->terminal_fd,
			      daemon->keeper_fd,
			      daemon->relay_fd,
			      daemon->witness_fd};
	size_t count = 0;

	for (size_t i = 0; i < sizeof single / sizeof *single && count < size; i++)
		if (single[i] >= 0)
			list[count++] = single[i];
	for (size_t i = 0; i < daemon->listener_count; i++)
		count = sockets_of_one(&daemon->listeners[i], list, count, size);
	for (size_t i = 0; daemon->file_fds && i < daemon->spec->file_count && count < size; i++)
		if (daemon->file_fds[i] >= 0)
			list[count++] = daemon->file_fds[i];
	qsort(list, count, sizeof *list, compare);
	return count;
}

bool daemon_is_classic(const struct daemon *daemon)
{
	return daemon->spec->workers == 0;
}

bool daemon_is_detached(const struct daemon *daemon)
{
	return daemon->pid != 0;
}

void daemon_warn(struct daemon *daemon, const char *step, int code, const char *format, ...)
{
	struct err err = {.code = code};
	char text[ERR_TEXT_MAX];
	va_list args;

	snprintf(err.step, sizeof err.step, "%s", step);
	va_start(args, format);
	vsnprintf(err.what, sizeof err.what, format, args);
	va_end(args);
	if (daemon->warn)
		daemon->warn(daemon, &err);
	else
		fprintf(stderr, "luvd: %s\n", err_text(&err, text, sizeof text));
}

char **strings_copy(char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list && list[count])
		count++;
	copy = calloc(count + 1, sizeof *copy);
	for (size_t i = 0; copy && i < count; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			strings_free(copy);
			return NULL;
		}
	}
	return copy;
}

void strings_free(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

static void close_descriptors(struct daemon *daemon)
{
	int *const owned[] = {&daemon->self_fd,       &daemon->null_fd,   &daemon->lock_fd,
			      &daemon->pidfile_fd,    &daemon->sink.fd,   &daemon->bundle_fd,
			      &daemon->channel_fd,    &daemon->output_fd, &daemon->control_fd,
			      &daemon->notify_socket, &daemon->notify_fd, &daemon->terminal_fd,
			      &daemon->keeper_fd,     &daemon->relay_fd,  &daemon->witness_fd};

	for (size_t i = 0; i < daemon->listener_count; i++)
		listener_close(&daemon->listeners[i]);
	for (size_t i = 0; daemon->file_fds && i < daemon->spec->file_count; i++)
		sys_close(daemon->file_fds[i]);
	/* The lock goes last: until then nobody else may believe that we are gone. */
	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) {
		if (owned[i] == &daemon->lock_fd)
			continue;
		sys_close(*owned[i]);
		*owned[i] = -1;
	}
	sys_close(daemon->lock_fd);
	daemon->lock_fd = -1;
}

void daemon_finish(struct daemon *daemon)
{
	close_descriptors(daemon);
	free(daemon->listeners);
	free(daemon->file_fds);
	free(daemon->files_made);
	for (size_t i = 0; i < daemon->folders_made_count; i++)
		free(daemon->folders_made[i].path);
	free(daemon->program);
	free(daemon->hosts);
	free(daemon->resolver);
	if (daemon->environment)
		sys_environment_set(NULL);
	strings_free(daemon->environment);
	spec_destroy(daemon->spec);
	source_finish(&daemon->source);
	errs_finish(&daemon->warnings);
	daemon_init(daemon);
}
