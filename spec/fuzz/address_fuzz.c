#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "service/dial.h"
#include "service/hosts.h"
#include "spec/address.h"
#include "spec/endpoint.h"

/* Any bytes as an address to listen on, an address to connect to, and as the texts of /etc/hosts
 * and /etc/resolv.conf. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool fine)
{
	if (!fine)
		abort();
}

/* What is written back is read as the same address. */
static void check_again(struct arena *arena, const struct address *address)
{
	struct address again[ADDRESS_PARTS_MAX];
	const char *expected = NULL;

	check(address->length <= sizeof address->socket);
	check(address_parse(arena, "/srv", address->text, again, &expected) == 1);
	check(again[0].kind == address->kind && again[0].length == address->length);
	check(strcmp(again[0].text, address->text) == 0);
	check(memcmp(&again[0].socket, &address->socket, address->length) == 0);
}

static void parse_listened(const char *text)
{
	struct arena *arena = arena_create();
	struct address parts[ADDRESS_PARTS_MAX];
	const char *expected = NULL;
	int count;

	if (!arena)
		return;
	count = address_parse(arena, "/srv", text, parts, &expected);
	check(count >= 0 && count <= ADDRESS_PARTS_MAX && expected);
	for (int i = 0; i < count; i++)
		check_again(arena, &parts[i]);
	arena_destroy(arena);
}

static void parse_dialled(const char *text, size_t size)
{
	struct sockaddr_storage address;
	struct endpoint endpoint;
	socklen_t length;

	if (dial_check(text, size))
		return;
	check(size < DIAL_TARGET_MAX && strlen(text) == size);
	if (dial_is_unix(text)) {
		length = dial_unix_address(text, &address);
		check(length > sizeof(sa_family_t) + 1 && length <= sizeof(struct sockaddr_un));
		return;
	}
	check(endpoint_parse(text, size, &endpoint) == ENDPOINT_RIGHT);
	check(endpoint.type == SOCK_STREAM && endpoint.port > 0 && endpoint.host[0]);
	if (endpoint_address(&endpoint, &address, &length))
		check(length <= sizeof address);
}

static void read_files(const char *text)
{
	struct sockaddr_storage found[4];
	struct resolver_settings settings;
	size_t count = hosts_find(text, "db", found, 4);

	check(count <= 4);
	for (size_t i = 0; i < count; i++)
		check(found[i].ss_family == AF_INET || found[i].ss_family == AF_INET6);
	check(hosts_find(text, "localhost", found, 4) > 0);
	resolver_settings(text, &settings);
	check(settings.servers[0] && strlen(settings.servers) < sizeof settings.servers);
	check(settings.search_count >= 0 && settings.search_count <= SEARCHES_MAX);
	check(settings.ndots >= 0 && settings.ndots <= 15);
	check(settings.timeout >= 1 && settings.timeout <= 30);
	check(settings.attempts >= 1 && settings.attempts <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, bytes, size);
	text[size] = '\0';
	parse_listened(text);
	parse_dialled(text, size);
	read_files(text);
	free(text);
	return 0;
}
