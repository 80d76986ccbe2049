#include "plan/listen.h"

#include <string.h>

#include "plan/address.h"

static int add(struct choices *choices, const struct listen *listen, const struct address *address,
	       const struct inherited *inherited, struct err *err)
{
	if (choices->count == SOCKETS_MAX)
		return err_set(err, "more than %d sockets", SOCKETS_MAX);
	choices->list[choices->count++] = (struct socket_choice){listen, address, inherited};
	return 0;
}

/* All inherited sockets of this name; returns how many. */
static int by_name(const struct machine *machine, const struct listen *listen, bool *claimed,
		   struct choices *choices, struct err *err)
{
	int found = 0;

	for (size_t i = 0; i < machine->inherited_count; i++) {
		size_t which = (size_t)found;

		if (strcmp(machine->inherited[i].name, listen->name) != 0)
			continue;
		if (which >= listen->address_count)
			which = listen->address_count - 1;
		claimed[i] = true;
		if (add(choices, listen, &listen->addresses[which], &machine->inherited[i], err) <
		    0)
			return -1;
		found++;
	}
	return found;
}

static const struct inherited *by_address(const struct machine *machine,
					  const struct address *address, bool *claimed)
{
	char text[ADDRESS_TEXT_MAX];

	address_text(&address->socket, address->length, listen_type(address), text, sizeof text);
	for (size_t i = 0; i < machine->inherited_count; i++) {
		if (claimed[i] || strcmp(machine->inherited[i].address, text) != 0)
			continue;
		claimed[i] = true;
		return &machine->inherited[i];
	}
	return NULL;
}

int listen_type(const struct address *address)
{
	return address->kind == ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM;
}

int listen_choose(const struct spec *spec, const struct machine *machine, struct choices *choices,
		  struct err *err)
{
	bool claimed[INHERITED_MAX] = {false};

	memset(choices, 0, sizeof *choices);
	for (size_t i = 0; i < spec->listen_count; i++) {
		const struct listen *listen = &spec->listens[i];
		int named = by_name(machine, listen, claimed, choices, err);

		if (named < 0)
			return -1;
		for (size_t k = 0; named == 0 && k < listen->address_count; k++) {
			const struct address *address = &listen->addresses[k];

			if (add(choices, listen, address, by_address(machine, address, claimed),
				err) < 0)
				return -1;
		}
	}
	for (size_t i = 0; i < machine->inherited_count && !choices->unclaimed; i++)
		if (!claimed[i])
			choices->unclaimed = &machine->inherited[i];
	return 0;
}
