#include "host/monitor/sockets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/monitor/bound.h"
#include "host/monitor/view.h"

static struct view *find_view(const struct sockets *sockets, int generation)
{
	struct view *view = sockets->views;

	while (view && view->generation != generation)
		view = view->next;
	return view;
}

static int use(struct view *view, struct bound *bound, const struct spec *spec, size_t entry,
	       size_t address, struct err *err)
{
	if (view->count == SOCKETS_MAX)
		return err_set(err, "more than %d sockets", SOCKETS_MAX);
	return view_add(view, bound, spec, entry, address, err);
}

/* At the end: those that a service manager has named alike keep their order. */
static void add_bound(struct sockets *sockets, struct bound *bound)
{
	struct bound **at = &sockets->bounds;

	while (*at)
		at = &(*at)->next;
	*at = bound;
}

/* Closes and forgets those that nobody has. A service manager's stay: it may be asked for again,
 * and nobody could give it to us twice. */
static void sweep(struct sockets *sockets)
{
	struct bound **at = &sockets->bounds;

	while (*at) {
		struct bound *bound = *at;

		if (bound->users || bound->listener.inherited) {
			at = &bound->next;
			continue;
		}
		*at = bound->next;
		bound_close(bound);
		bound_destroy(bound);
	}
}

static void drop_view(struct sockets *sockets, struct view *view)
{
	view_destroy(view);
	sweep(sockets);
}

/* --- those of the start --- */

/* Did the service manager give it to the entry by its name, whatever the address? */
static bool is_by_name(const struct daemon *daemon, const struct listener *listener)
{
	for (size_t i = 0; listener->inherited && i < daemon->machine.inherited_count; i++)
		if (daemon->machine.inherited[i].fd == listener->fd)
			return strcmp(daemon->machine.inherited[i].name, listener->listen->name) ==
			       0;
	return false;
}

static int take_all(struct sockets *sockets, struct daemon *daemon, struct err *err)
{
	struct view *view = view_create(1, err);

	sockets->views = view;
	for (size_t i = 0; view && i < daemon->listener_count; i++) {
		struct listener *listener = &daemon->listeners[i];
		const struct listen *listen = listener->listen;
		struct bound *bound = bound_take(listener, is_by_name(daemon, listener), err);

		if (!bound)
			return -1;
		add_bound(sockets, bound);
		if (use(view, bound, daemon->spec, (size_t)(listen - daemon->spec->listens),
			(size_t)(listener->address - listen->addresses), err) < 0)
			return -1;
	}
	return view ? 0 : -1;
}

struct sockets *sockets_create(struct daemon *daemon, struct err *err)
{
	struct sockets *sockets = calloc(1, sizeof *sockets);

	if (!sockets) {
		err_set(err, "out of memory");
		return NULL;
	}
	sockets->self = daemon->machine.euid;
	if (take_all(sockets, daemon, err) == 0)
		return sockets;
	sockets_destroy(sockets);
	return NULL;
}

void sockets_destroy(struct sockets *sockets)
{
	while (sockets && sockets->views) {
		struct view *view = sockets->views;

		sockets->views = view->next;
		view_destroy(view);
	}
	while (sockets && sockets->bounds) {
		struct bound *bound = sockets->bounds;

		sockets->bounds = bound->next;
		bound_destroy(bound);
	}
	free(sockets);
}

/* --- those of a new generation --- */

/* What is being prepared. */
struct prepare {
	struct sockets *sockets;
	const struct spec *spec;
	struct view *view;
	struct err *err;
};

static struct err *blame(const struct prepare *prepare, const struct listen *listen,
			 const char *option)
{
	char key[160];

	snprintf(key, sizeof key, "listen.%s%s%s", listen->name, option ? "." : "",
		 option ? option : "");
	return spec_blame(prepare->spec, key, prepare->err);
}

static struct bound *find(const struct prepare *prepare, const struct listen *listen,
			  const struct address *address)
{
	struct bound *bound = prepare->sockets->bounds;

	while (bound && (bound->by_name || view_has(prepare->view, bound) ||
			 !bound_is(bound, listen, address)))
		bound = bound->next;
	return bound;
}

static int check_overlap(const struct prepare *prepare, const struct listen *listen,
			 const struct address *address)
{
	for (struct bound *bound = prepare->sockets->bounds; bound; bound = bound->next)
		if (!view_has(prepare->view, bound) && bound_overlaps(bound, address))
			return err_set(blame(prepare, listen, NULL),
				       "needs restart: %s overlaps with %s, which the daemon "
				       "listens at",
				       address->text, bound->listener.actual);
	return 0;
}

/* Root's monitor keeps no right to low ports when none was asked for at the start. */
static int tell_low_port(const struct prepare *prepare, const struct address *address)
{
	if (prepare->sockets->self == 0 && address->kind != ADDRESS_UNIX &&
	    prepare->err->code == EACCES)
		return err_set(prepare->err, "needs restart: cannot bind %s: %s", address->text,
			       err_reason(EACCES));
	return -1;
}

static int prepare_one(const struct prepare *prepare, size_t entry, size_t which)
{
	const struct listen *listen = &prepare->spec->listens[entry];
	const struct address *address = &listen->addresses[which];
	struct bound *bound = find(prepare, listen, address);
	const char *lacks = bound ? bound_lacks(bound, listen, prepare->spec->workers) : NULL;

	if (lacks)
		return err_set(blame(prepare, listen, lacks), "needs restart: %s is bound already",
			       address->text);
	if (!bound) {
		if (check_overlap(prepare, listen, address) < 0)
			return -1;
		bound = bound_open(listen, address, prepare->spec->workers, prepare->sockets->self,
				   blame(prepare, listen, NULL));
		if (!bound)
			return tell_low_port(prepare, address);
		add_bound(prepare->sockets, bound);
	}
	return use(prepare->view, bound, prepare->spec, entry, which, blame(prepare, listen, NULL));
}

/* How many sockets the service manager has given to this entry by name. */
static int prepare_by_name(const struct prepare *prepare, size_t entry)
{
	const struct listen *listen = &prepare->spec->listens[entry];
	int found = 0;

	for (struct bound *bound = prepare->sockets->bounds; bound; bound = bound->next) {
		size_t which = (size_t)found;

		if (!bound->by_name || strcmp(bound->listen.name, listen->name) != 0)
			continue;
		if (which >= listen->address_count)
			which = listen->address_count - 1;
		if (use(prepare->view, bound, prepare->spec, entry, which,
			blame(prepare, listen, NULL)) < 0)
			return -1;
		found++;
	}
	return found;
}

static int prepare_entry(const struct prepare *prepare, size_t entry)
{
	int named = prepare_by_name(prepare, entry);

	if (named < 0)
		return -1;
	for (size_t i = 0; named == 0 && i < prepare->spec->listens[entry].address_count; i++)
		if (prepare_one(prepare, entry, i) < 0)
			return -1;
	return 0;
}

int sockets_prepare(struct sockets *sockets, const struct spec *fresh, int generation,
		    struct err *err)
{
	struct prepare prepare = {sockets, fresh, view_create(generation, err), err};

	if (!prepare.view)
		return -1;
	for (size_t i = 0; i < fresh->listen_count; i++) {
		if (prepare_entry(&prepare, i) == 0)
			continue;
		drop_view(sockets, prepare.view);
		return -1;
	}
	err->key[0] = err->where[0] = 0;
	prepare.view->next = sockets->views;
	sockets->views = prepare.view;
	return 0;
}

/* --- later --- */

static bool is_wanted(const struct sockets *sockets, const struct bound *bound, int since)
{
	for (const struct view *view = sockets->views; view; view = view->next)
		if (view->generation >= since && view_has(view, bound))
			return true;
	return false;
}

void sockets_serve(struct sockets *sockets, int generation)
{
	const struct view *view = find_view(sockets, generation);

	for (size_t i = 0; view && i < view->count; i++)
		bound_settle(view->uses[i].bound, view->list[i].listen);
	for (struct bound *bound = sockets->bounds; view && bound; bound = bound->next)
		if (!bound->closed && !is_wanted(sockets, bound, generation))
			bound_close(bound);
}

void sockets_respec(struct sockets *sockets, int generation, const struct spec *fresh)
{
	struct view *view = find_view(sockets, generation);

	for (size_t i = 0; view && i < view->count; i++)
		view_tell(view, i, fresh);
}

void sockets_release(struct sockets *sockets, int generation)
{
	struct view **at = &sockets->views, *view;

	while (*at && (*at)->generation != generation)
		at = &(*at)->next;
	view = *at;
	if (!view)
		return;
	*at = view->next;
	drop_view(sockets, view);
}

static int socket_of(const struct bound *bound, int slot)
{
	const struct listener *listener = &bound->listener;

	if (slot < 2 || !bound->listen.reuseport || listener->inherited)
		return listener->fd;
	return (size_t)slot - 2 < listener->other_count ? listener->others[slot - 2] : -1;
}

size_t sockets_of(const struct sockets *sockets, int generation, int slot, int *fds, size_t size,
		  char *roster, size_t roster_size)
{
	const struct view *view = find_view(sockets, generation);
	size_t count = 0, used = 0;

	snprintf(roster, roster_size, "-");
	for (size_t i = 0; view && i < view->count && count < size; i++) {
		const struct use *one = &view->uses[i];
		int fd = socket_of(one->bound, slot);

		if (fd < 0)
			continue;
		used += (size_t)snprintf(roster + used, roster_size - used, "%s%zu.%zu",
					 count ? "," : "", one->entry, one->address);
		fds[count++] = fd;
	}
	return count;
}

const struct listener *sockets_list(const struct sockets *sockets, int generation, size_t *count)
{
	const struct view *view = find_view(sockets, generation);

	*count = view ? view->count : 0;
	return view ? view->list : NULL;
}
