#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host/monitor/handover.h"
#include "host/monitor/sockets.h"
#include "host/monitor/view.h"
#include "plan/listener.h"
#include "spec/codec.h"

/* The listening sockets as bytes, for the image that takes over. One function describes a part for
 * both ways. */

static const uint32_t MAGIC = 0x4b4f534c, VERSION = 1; /* "LSOK" */

/* What an element takes at least, which bounds the counts. */
enum { LEAST_OTHER = 8, LEAST_BOUND = 64, LEAST_USE = 20, LEAST_VIEW = 12 };

static void code_address(struct codec *codec, struct address *address)
{
	int kind = (int)address->kind;

	codec_owned_text(codec, &address->text);
	codec_int(codec, &kind, ADDRESS_TCP, ADDRESS_ABSTRACT);
	address->kind = (enum address_kind)kind;
	codec_u32(codec, &address->length);
	if (address->length > sizeof address->socket || !address->text)
		codec->failed = true;
	if (!codec->failed)
		codec_bytes(codec, &address->socket, address->length);
}

/* What it was bound with; the rest of an entry is its generation's. */
static void code_listen(struct codec *codec, struct listen *listen)
{
	uint32_t mode = listen->mode;

	codec_owned_text(codec, &listen->name);
	codec_int(codec, &listen->backlog, 0, INT_MAX);
	codec_u32(codec, &mode);
	listen->mode = (mode_t)mode;
	codec_owned_text(codec, &listen->owner);
	codec_u32(codec, &listen->uid);
	codec_u32(codec, &listen->gid);
	codec_bool(codec, &listen->reuseport);
	codec_size(codec, &listen->receive_buffer);
	if (!listen->name || mode > 07777)
		codec->failed = true;
}

static void code_others(struct codec *codec, struct listener *listener)
{
	void *array = listener->others;

	codec_owned_array(codec, &array, &listener->other_count, sizeof *listener->others,
			  LEAST_OTHER);
	listener->others = array;
	for (size_t i = 0; i < listener->other_count; i++)
		handover_code_fd(codec, &listener->others[i]);
}

static void code_listener(struct codec *codec, struct listener *listener)
{
	uint64_t device = listener->device, inode = listener->inode;

	handover_code_fd(codec, &listener->fd);
	code_others(codec, listener);
	codec_bool(codec, &listener->inherited);
	handover_code_fixed(codec, listener->actual, sizeof listener->actual);
	codec_u64(codec, &device);
	codec_u64(codec, &inode);
	listener->device = (dev_t)device;
	listener->inode = (ino_t)inode;
}

static void code_bound(struct codec *codec, struct bound *bound)
{
	code_listener(codec, &bound->listener);
	code_listen(codec, &bound->listen);
	code_address(codec, &bound->address);
	codec_bool(codec, &bound->by_name);
	codec_bool(codec, &bound->closed);
	if (bound->closed != (bound->listener.fd < 0))
		codec->failed = true;
}

static void code_head(struct codec *codec, struct sockets *sockets)
{
	uint32_t magic = MAGIC, version = VERSION;

	codec_u32(codec, &magic);
	codec_u32(codec, &version);
	if (magic != MAGIC || version != VERSION)
		codec->failed = true;
	codec_u32(codec, &sockets->self);
}

/* --- writing --- */

static void write_bounds(struct codec *codec, const struct sockets *sockets)
{
	size_t count = 0;

	for (const struct bound *bound = sockets->bounds; bound; bound = bound->next)
		count++;
	codec_size(codec, &count);
	for (const struct bound *bound = sockets->bounds; bound; bound = bound->next) {
		struct bound copy = *bound; /* the codec writes back what it reads */

		code_bound(codec, &copy);
	}
}

static size_t index_of(const struct sockets *sockets, const struct bound *wanted)
{
	size_t index = 0;

	for (const struct bound *bound = sockets->bounds; bound != wanted; bound = bound->next)
		index++;
	return index;
}

static void write_view(struct codec *codec, const struct sockets *sockets, const struct view *view)
{
	int generation = view->generation;
	size_t count = view->count;

	codec_int(codec, &generation, 1, INT_MAX);
	codec_size(codec, &count);
	for (size_t i = 0; i < count; i++) {
		struct use use = view->uses[i];
		size_t index = index_of(sockets, use.bound);

		codec_size(codec, &index);
		codec_size(codec, &use.entry);
		codec_size(codec, &use.address);
	}
}

static void write_views(struct codec *codec, const struct sockets *sockets)
{
	size_t count = 0;

	for (const struct view *view = sockets->views; view; view = view->next)
		count++;
	codec_size(codec, &count);
	for (const struct view *view = sockets->views; view; view = view->next)
		write_view(codec, sockets, view);
}

int sockets_encode(const struct sockets *sockets, unsigned char **bytes, size_t *length,
		   struct err *err)
{
	struct codec codec = {.out = open_memstream((char **)bytes, length)};
	struct sockets copy = *sockets;
	bool failed;

	if (!codec.out)
		return err_sys(err, "cannot write the sockets down");
	code_head(&codec, &copy);
	write_bounds(&codec, sockets);
	write_views(&codec, sockets);
	failed = codec.failed || ferror(codec.out);
	if (fclose(codec.out) == 0 && !failed)
		return 0;
	free(*bytes);
	*bytes = NULL;
	return err_set(err, "cannot write the sockets down");
}

/* --- reading --- */

static size_t read_count(struct codec *codec, size_t least)
{
	size_t count = 0;

	codec_size(codec, &count);
	if (count > codec->left / least)
		codec->failed = true;
	return codec->failed ? 0 : count;
}

static void read_bounds(struct codec *codec, struct sockets *sockets)
{
	struct bound **at = &sockets->bounds;
	size_t count = read_count(codec, LEAST_BOUND);

	for (size_t i = 0; i < count && !codec->failed; i++) {
		struct bound *bound = calloc(1, sizeof *bound);

		if (!bound) {
			codec->failed = true;
			return;
		}
		*at = bound;
		at = &bound->next;
		code_bound(codec, bound);
		bound->listener.listen = &bound->listen;
		bound->listener.address = &bound->address;
	}
}

static struct bound *bound_at(const struct sockets *sockets, size_t index)
{
	struct bound *bound = sockets->bounds;

	while (bound && index > 0) {
		bound = bound->next;
		index--;
	}
	return bound;
}

static void read_use(struct codec *codec, struct sockets *sockets, struct view *view,
		     const struct spec *spec)
{
	size_t index = 0, entry = 0, address = 0;
	struct bound *bound;
	struct err err = {0};

	codec_size(codec, &index);
	codec_size(codec, &entry);
	codec_size(codec, &address);
	bound = codec->failed ? NULL : bound_at(sockets, index);
	if (!bound || entry >= spec->listen_count ||
	    address >= spec->listens[entry].address_count || view->count == SOCKETS_MAX ||
	    view_add(view, bound, spec, entry, address, &err) < 0)
		codec->failed = true;
}

struct reader {
	const struct spec *(*spec_of)(void *data, int generation);
	void *data;
};

static void read_view(struct codec *codec, struct sockets *sockets, struct view **at,
		      const struct reader *reader)
{
	const struct spec *spec;
	struct err err = {0};
	int generation = 0;
	size_t count;

	codec_int(codec, &generation, 1, INT_MAX);
	count = read_count(codec, LEAST_USE);
	spec = codec->failed ? NULL : reader->spec_of(reader->data, generation);
	*at = spec ? view_create(generation, &err) : NULL;
	if (!*at)
		codec->failed = true;
	for (size_t i = 0; i < count && !codec->failed; i++)
		read_use(codec, sockets, *at, spec);
}

static void read_views(struct codec *codec, struct sockets *sockets, const struct reader *reader)
{
	struct view **at = &sockets->views;
	size_t count = read_count(codec, LEAST_VIEW);

	for (size_t i = 0; i < count && !codec->failed; i++) {
		read_view(codec, sockets, at, reader);
		if (*at)
			at = &(*at)->next;
	}
}

struct sockets *sockets_decode(const unsigned char *bytes, size_t length,
			       const struct spec *(*spec_of)(void *data, int generation),
			       void *data, struct err *err)
{
	struct codec codec = {.reading = true, .in = bytes, .left = length};
	struct reader reader = {spec_of, data};
	struct sockets *sockets = calloc(1, sizeof *sockets);

	if (!sockets) {
		err_set(err, "out of memory");
		return NULL;
	}
	code_head(&codec, sockets);
	if (!codec.failed)
		read_bounds(&codec, sockets);
	if (!codec.failed)
		read_views(&codec, sockets, &reader);
	if (!codec.failed && codec.left == 0)
		return sockets;
	sockets_forget(sockets);
	err_set(err, "sockets: not of this version, cut or damaged");
	return NULL;
}

static void forget_descriptors(struct listener *listener)
{
	listener->fd = -1;
	for (size_t i = 0; i < listener->other_count; i++)
		listener->others[i] = -1;
}

void sockets_forget(struct sockets *sockets)
{
	for (struct bound *bound = sockets ? sockets->bounds : NULL; bound; bound = bound->next)
		forget_descriptors(&bound->listener);
	sockets_destroy(sockets);
}

size_t sockets_descriptors(const struct sockets *sockets, int *list, size_t size)
{
	size_t count = 0;

	for (const struct bound *bound = sockets->bounds; bound; bound = bound->next) {
		const struct listener *listener = &bound->listener;

		if (listener->fd >= 0 && count++ < size)
			list[count - 1] = listener->fd;
		for (size_t i = 0; i < listener->other_count; i++)
			if (listener->others[i] >= 0 && count++ < size)
				list[count - 1] = listener->others[i];
	}
	return count;
}
