#include "host/monitor/view.h"

#include <stdlib.h>

struct view *view_create(int generation, struct err *err)
{
	struct view *view = calloc(1, sizeof *view);

	if (view)
		view->generation = generation;
	else
		err_set(err, "out of memory");
	return view;
}

void view_destroy(struct view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->count; i++)
		view->uses[i].bound->users--;
	free(view->uses);
	free(view->list);
	free(view);
}

static int grow(struct view *view)
{
	struct use *uses = realloc(view->uses, (view->count + 1) * sizeof *uses);
	struct listener *list;

	if (!uses)
		return -1;
	view->uses = uses;
	list = realloc(view->list, (view->count + 1) * sizeof *list);
	if (!list)
		return -1;
	view->list = list;
	return 0;
}

int view_add(struct view *view, struct bound *bound, const struct spec *spec, size_t entry,
	     size_t address, struct err *err)
{
	if (grow(view) < 0)
		return err_set(err, "out of memory");
	view->uses[view->count] = (struct use){bound, entry, address};
	view_tell(view, view->count++, spec);
	bound->users++;
	return 0;
}

bool view_has(const struct view *view, const struct bound *bound)
{
	for (size_t i = 0; i < view->count; i++)
		if (view->uses[i].bound == bound)
			return true;
	return false;
}

void view_tell(struct view *view, size_t index, const struct spec *spec)
{
	const struct use *use = &view->uses[index];
	struct listener *told = &view->list[index];

	*told = use->bound->listener;
	told->others = NULL;
	told->other_count = 0;
	told->listen = &spec->listens[use->entry];
	told->address = &told->listen->addresses[use->address];
}
