#include <stdio.h>
#include <string.h>

#include "spec/address.h"
#include "spec/check.h"
#include "spec/kinds.h"
#include "spec/parse.h"
#include "spec/words.h"

/* What listen and files have in common: a table of entries whose names the user chooses, each put
 * into its own struct of size bytes, which begins with the name. */
static void *put_entries(struct check *check, const struct field *field, const char *path,
			 const struct value *value, size_t size)
{
	const struct field *row = field_below(field->name, "NAME");
	char *entries = arena_alloc(check->arena, (value->as.table.count + 1) * size);

	for (size_t i = 0; i < value->as.table.count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];
		char *entry = entries + i * size, below[PATH_SHOWN_MAX];
		const char *name = check_text(&pair->key);

		*(char **)entry = arena_text(check->arena, name ? name : "");
		check_join(below, path, &pair->key);
		if (!name || !parse_name(name))
			check_expected(check, below, &pair->key, kind_name.expected, NULL);
		row->kind->put(check, row, below, entry, &pair->value);
	}
	return entries;
}

static void put_listens(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	struct spec *spec = base;

	if (!kind_is_map(check, field, path, value))
		return;
	spec->listens = put_entries(check, field, path, value, sizeof *spec->listens);
	spec->listen_count = value->as.table.count;
}

/* A handler of connections cannot take datagrams. */
static void check_same_kind(struct check *check, const char *path, const struct listen *listen,
			    const struct value *value)
{
	size_t datagrams = 0;

	for (size_t i = 0; i < listen->address_count; i++)
		datagrams += listen->addresses[i].kind == ADDRESS_UDP;
	if (datagrams != 0 && datagrams != listen->address_count)
		check_fail(check, path, value,
			   "udp and other addresses are served by different handlers: make two "
			   "entries");
}

static void check_reuseport(struct check *check, const char *path, const struct listen *listen,
			    const struct value *value)
{
	char below[PATH_SHOWN_MAX];

	snprintf(below, sizeof below, "%s%sreuseport", path, *path ? "." : "");
	for (size_t i = 0; listen->reuseport && i < listen->address_count; i++)
		if (listen->addresses[i].kind != ADDRESS_TCP &&
		    listen->addresses[i].kind != ADDRESS_UDP)
			check_fail(check, below, value_get(value, "reuseport"),
				   "only tcp and udp can have a socket for each worker, not %s",
				   listen->addresses[i].text);
}

static void put_listen(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	struct listen *listen = base;
	size_t before = check->errs->count;

	listen->uid = (uid_t)-1;
	listen->gid = (gid_t)-1;
	kind_put_group(check, field, path, base, value);
	if (listen->address_count == 0 && check->errs->count == before)
		check_fail(check, path, value,
			   "address is missing, such as \"tcp://127.0.0.1:80\"");
	check_same_kind(check, path, listen, value);
	check_reuseport(check, path, listen, value);
}

static bool is_taken(const struct check *check, const char *text)
{
	size_t length = strlen(text);

	/* Port 0 is another port each time. */
	if (length > 2 && strncmp(text, "unix:", 5) != 0 && strcmp(text + length - 2, ":0") == 0)
		return false;
	for (size_t i = 0; i < check->spec->listen_count; i++)
		for (size_t k = 0; k < check->spec->listens[i].address_count; k++)
			if (strcmp(check->spec->listens[i].addresses[k].text, text) == 0)
				return true;
	return false;
}

static void put_address(struct check *check, const char *path, struct listen *listen,
			const struct value *value)
{
	struct address parts[ADDRESS_PARTS_MAX];
	const char *text = check_text(value), *expected = "an address";
	int count = address_parse(check->arena, check->folder, text ? text : "", parts, &expected);

	if (count == 0) {
		check_expected(check, path, value, expected, NULL);
		return;
	}
	for (int i = 0; i < count; i++)
		listen->addresses[listen->address_count++] = parts[i];
}

static void put_addresses(struct check *check, const struct field *field, const char *path,
			  void *base, const struct value *value)
{
	struct listen *listen = base;
	int64_t count = value->type == VALUE_STRING ? 1 : value_list(value);
	char below[PATH_SHOWN_MAX];

	if (count < 1) {
		check_expected(check, path, value, field->kind->expected, NULL);
		return;
	}
	listen->addresses = arena_alloc(check->arena, (size_t)count * ADDRESS_PARTS_MAX *
							  sizeof *listen->addresses);
	if (value->type == VALUE_STRING) {
		put_address(check, path, listen, value);
		return;
	}
	for (int64_t i = 0; i < count; i++) {
		const struct pair *pair = &value->as.table.pairs[i];

		put_address(check, check_join(below, path, &pair->key), listen, &pair->value);
	}
}

/* Called when all are read: the same address twice could only fail at bind. */
void kind_check_addresses(struct check *check)
{
	struct spec *spec = check->spec;
	size_t listens = spec->listen_count;

	for (size_t i = 0; i < listens; i++) {
		struct listen *listen = &spec->listens[i];
		size_t count = listen->address_count;
		char path[PATH_SHOWN_MAX];

		snprintf(path, sizeof path, "listen.%s", listen->name);
		spec->listen_count = i + 1;
		for (size_t k = 0; k < count; k++) {
			listen->address_count = k;
			if (is_taken(check, listen->addresses[k].text))
				check_fail(check, path, NULL, "%s is listened on twice",
					   listen->addresses[k].text);
		}
		listen->address_count = count;
	}
	spec->listen_count = listens;
}

static void put_owner(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	const char *text = check_text(value);

	if (!text || !*text || *text == ':' || text[strlen(text) - 1] == ':')
		check_expected(check, path, value, field->kind->expected, NULL);
	else
		((struct listen *)base)->owner = arena_text(check->arena, text);
}

static void put_files(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	struct spec *spec = base;

	if (!kind_is_map(check, field, path, value))
		return;
	spec->files = put_entries(check, field, path, value, sizeof *spec->files);
	spec->file_count = value->as.table.count;
}

static void put_file(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	size_t before = check->errs->count;

	kind_put_group(check, field, path, base, value);
	if (!((struct file *)base)->path && check->errs->count == before)
		check_fail(check, path, value, "path is missing");
}

static void put_file_mode(struct check *check, const struct field *field, const char *path,
			  void *base, const struct value *value)
{
	const char *text = check_text(value);
	const struct word *word = text ? word_find(words_file_mode, text) : NULL;

	if (!word)
		check_expected(check, path, value, field->kind->expected, NULL);
	else
		((struct file *)base)->mode = (char)word->number;
}

const struct kind kind_listens = {
    .name = "table of listeners",
    .expected = "a table such as { web = \"tcp://127.0.0.1:80\" }",
    .put = put_listens,
    .map = true,
};
const struct kind kind_listen = {
    .name = "address or table",
    .expected = "an address or a table such as { address = \"tcp://127.0.0.1:80\" }",
    .shorthand = "address",
    .put = put_listen,
    .group = true,
};
const struct kind kind_addresses = {
    .name = "address or list of addresses",
    .expected = "an address such as \"tcp://127.0.0.1:80\" or a list of them",
    .put = put_addresses,
    .normal = kind_normal_list,
};
const struct kind kind_owner = {
    .name = "\"user\" or \"user:group\"",
    .expected = "\"user\" or \"user:group\"",
    .put = put_owner,
};
const struct kind kind_files = {
    .name = "table of files",
    .expected = "a table such as { series = { path = \"/var/log/series\", mode = \"a\" } }",
    .put = put_files,
    .map = true,
};
const struct kind kind_file = {
    .name = "table",
    .expected = "a table such as { path = \"/var/log/series\", mode = \"a\" }",
    .put = put_file,
    .group = true,
};
const struct kind kind_file_mode = {
    .name = "\"r\", \"a\" or \"w\"", .expected = "\"r\", \"a\" or \"w\"", .put = put_file_mode};
