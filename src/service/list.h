#ifndef LUVD_SERVICE_LIST_H
#define LUVD_SERVICE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A ring of links, each inside what it links. The head is a link of its own. */
struct link {
	struct link *prev, *next;
};

#define LIST_ENTRY(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

static inline void list_init(struct link *list)
{
	list->prev = list->next = list;
}

static inline bool list_empty(const struct link *list)
{
	return list->next == list;
}

static inline void list_append(struct link *list, struct link *link)
{
	link->prev = list->prev;
	link->next = list;
	list->prev->next = link;
	list->prev = link;
}

/* Leaves the link alone in a ring of its own: removing it twice does nothing. */
static inline void list_remove(struct link *link)
{
	link->prev->next = link->next; /* NOLINT(clang-analyzer-unix.Malloc): it sees no rings */
	link->next->prev = link->prev;
	list_init(link);
}

#endif
