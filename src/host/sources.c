#include "host/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int sources_init(struct sources *sources)
{
	*sources = (struct sources){.polls = calloc(SOURCES_FIRST, sizeof *sources->polls)};
	if (!sources->polls)
		return -1;
	pthread_mutex_init(&sources->gate, NULL);
	pthread_mutex_init(&sources->lock, NULL);
	return 0;
}

void sources_finish(struct sources *sources)
{
	if (!sources->polls)
		return;
	for (size_t i = 0; i < sources->size; i++)
		sources_forget(sources, (int)i);
	free(sources->list);
	free(sources->polls);
	free(sources->fresh);
	pthread_mutex_destroy(&sources->gate);
	pthread_mutex_destroy(&sources->lock);
	*sources = (struct sources){0};
}

/* A thread that reads one flooding worker after the other unlocks and locks again before anybody
 * who waits has woken up: hence the gate, which the one that waits holds. */
void sources_enter(struct sources *sources)
{
	pthread_mutex_lock(&sources->gate);
	pthread_mutex_lock(&sources->lock);
	pthread_mutex_unlock(&sources->gate);
}

void sources_leave(struct sources *sources)
{
	pthread_mutex_unlock(&sources->lock);
}

static int grow(struct sources *sources)
{
	size_t size = sources->size ? sources->size * 2 : 4;
	struct pollfd *polls = calloc(SOURCES_FIRST + 2 * size, sizeof *polls);
	struct log_source **list;

	list = polls ? realloc(sources->list, size * sizeof(void *)) : NULL;
	if (!list) {
		free(polls);
		return -1;
	}
	for (size_t i = sources->size; i < size; i++)
		list[i] = NULL;
	free(sources->fresh);
	sources->fresh = polls;
	sources->list = list;
	sources->size = size;
	return 0;
}

int sources_add(struct sources *sources, pid_t pid, int relay_fd, int output_fd)
{
	struct log_source *source;
	size_t i = 0;

	if (sources->count == SOURCES_MAX) {
		errno = EMFILE;
		return -1;
	}
	if (sources->count == sources->size && grow(sources) < 0)
		return -1;
	source = calloc(1, sizeof *source);
	if (!source)
		return -1;
	source->pid = pid;
	source->relay_fd = relay_fd;
	source->output_fd = output_fd;
	while (sources->list[i])
		i++;
	sources->list[i] = source;
	sources->count++;
	return (int)i;
}

struct log_source *sources_find(const struct sources *sources, int number)
{
	return number >= 0 && (size_t)number < sources->size ? sources->list[number] : NULL;
}

void sources_forget(struct sources *sources, int number)
{
	struct log_source *source = sources_find(sources, number);

	if (!source)
		return;
	if (source->relay_fd >= 0)
		close(source->relay_fd);
	if (source->output_fd >= 0)
		close(source->output_fd);
	relay_reader_finish(&source->reader);
	repeat_finish(&source->repeat);
	free(source);
	sources->list[number] = NULL;
	sources->count--;
}

struct pollfd *sources_polls(struct sources *sources, size_t *total)
{
	struct pollfd *next;

	if (sources->fresh) {
		free(sources->polls);
		sources->polls = sources->fresh;
		sources->fresh = NULL;
	}
	next = sources->polls + SOURCES_FIRST;
	for (size_t i = 0; i < sources->size; i++) {
		const struct log_source *source = sources->list[i];
		bool reads = source && !source->broken;

		*next++ = (struct pollfd){reads ? source->relay_fd : -1, POLLIN, 0};
		*next++ = (struct pollfd){source ? source->output_fd : -1, POLLIN, 0};
	}
	*total = (size_t)(next - sources->polls);
	return sources->polls;
}
