#include "host/stamps.h"

#include <stdlib.h>
#include <string.h>

#include "spec/trust.h"

struct stamped {
	char *path;
	struct stamp seen; /* zeroed: there was none */
	bool never;        /* what was seen is older than what somebody has read */
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct stamped *)a)->path, ((const struct stamped *)b)->path);
}

static const struct stamped *find(const struct stamps *stamps, const char *path)
{
	struct stamped wanted = {.path = (char *)path};

	return stamps->count ? bsearch(&wanted, stamps->list, stamps->count, sizeof wanted, by_path)
			     : NULL;
}

/* -1: out of memory. */
static int add(struct stamps *fresh, const struct stamps *before, const char *path,
	       const struct timespec *since)
{
	const struct stamped *known = find(before, path);
	struct stamped one = {0};

	if (fresh->count == STAMPS_MAX)
		return 0;
	if (known)
		one = *known;
	else if (trust_look(path, &one.seen))
		one.never = !is_before(&one.seen.changed, since);
	one.path = strdup(path);
	if (!one.path)
		return -1;
	fresh->list[fresh->count++] = one;
	return 0;
}

static int add_all(struct stamps *fresh, const struct stamps *before, char *const *paths,
		   const struct timespec *since)
{
	for (; paths && *paths; paths++)
		if (add(fresh, before, *paths, since) < 0)
			return -1;
	return 0;
}

static void drop_twice(struct stamps *stamps)
{
	size_t kept = 0;

	qsort(stamps->list, stamps->count, sizeof *stamps->list, by_path);
	for (size_t i = 0; i < stamps->count; i++)
		if (kept && strcmp(stamps->list[kept - 1].path, stamps->list[i].path) == 0)
			free(stamps->list[i].path);
		else
			stamps->list[kept++] = stamps->list[i];
	stamps->count = kept;
}

int stamps_set(struct stamps *stamps, char *const *first, char *const *second,
	       const struct timespec *since)
{
	struct stamps fresh = {.list = calloc(STAMPS_MAX, sizeof *fresh.list)};

	if (!fresh.list)
		return -1;
	if (add_all(&fresh, stamps, first, since) < 0 ||
	    add_all(&fresh, stamps, second, since) < 0) {
		stamps_finish(&fresh);
		return -1;
	}
	drop_twice(&fresh);
	stamps_finish(stamps);
	*stamps = fresh;
	return 0;
}

bool stamps_look(struct stamps *stamps)
{
	bool changed = false;

	for (size_t i = 0; i < stamps->count; i++) {
		struct stamped *one = &stamps->list[i];
		struct stamp now;

		trust_look(one->path, &now);
		changed |= one->never || !trust_same(&now, &one->seen);
		one->seen = now;
		one->never = false;
	}
	return changed;
}

const char *stamps_path(const struct stamps *stamps, size_t index)
{
	return stamps->list[index].path;
}

void stamps_finish(struct stamps *stamps)
{
	for (size_t i = 0; i < stamps->count; i++)
		free(stamps->list[i].path);
	free(stamps->list);
	*stamps = (struct stamps){0};
}
