#include "service/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char blank[] = " \t\r";

enum { DNS_PORT = 53 };

struct word {
	const char *text;
	size_t length;
};

/* The next word of a line; false at its end. */
static bool next_word(const char **at, const char *end, struct word *word)
{
	while (*at < end && strchr(blank, **at))
		(*at)++;
	word->text = *at;
	while (*at < end && !strchr(blank, **at))
		(*at)++;
	word->length = (size_t)(*at - word->text);
	return word->length > 0;
}

/* The next line without its comment; false at the end of the text. */
static bool next_line(const char **text, const char *marks, const char **begin, const char **end)
{
	if (!*text || !**text)
		return false;
	*begin = *text;
	*text += strcspn(*text, "\n");
	*end = *begin;
	while (*end < *text && !strchr(marks, **end))
		(*end)++;
	*text += **text == '\n';
	return true;
}

static bool is_word(const struct word *word, const char *text)
{
	return strlen(text) == word->length && strncasecmp(word->text, text, word->length) == 0;
}

static bool copy_word(const struct word *word, char *text, size_t size)
{
	if (word->length >= size)
		return false;
	memcpy(text, word->text, word->length);
	text[word->length] = '\0';
	return true;
}

/* --- hosts(5) --- */

static bool read_address(const char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	struct sockaddr_in *four = (struct sockaddr_in *)address;

	memset(address, 0, sizeof *address);
	if (inet_pton(AF_INET, text, &four->sin_addr) == 1) {
		address->ss_family = AF_INET;
		return true;
	}
	address->ss_family = AF_INET6;
	return inet_pton(AF_INET6, text, &six->sin6_addr) == 1;
}

static bool line_names(const char *at, const char *end, const char *name)
{
	struct word word;

	while (next_word(&at, end, &word))
		if (is_word(&word, name))
			return true;
	return false;
}

size_t hosts_find(const char *text, const char *name, struct sockaddr_storage *found, size_t max)
{
	const char *at, *end;
	size_t count = 0;

	while (count < max && next_line(&text, "#", &at, &end)) {
		char address[INET6_ADDRSTRLEN];
		struct word word;

		if (next_word(&at, end, &word) && copy_word(&word, address, sizeof address) &&
		    line_names(at, end, name) && read_address(address, &found[count]))
			count++;
	}
	if (count == 0 && strcasecmp(name, "localhost") == 0) {
		if (count < max)
			count += read_address("127.0.0.1", &found[count]);
		if (count < max)
			count += read_address("::1", &found[count]);
	}
	return count;
}

/* --- resolv.conf(5) --- */

/* "10.0.0.1", "::1" or, as OpenBSD has it, "[10.0.0.1]:5353": splits the last into its two. */
static bool split_server(char *text, char **host, unsigned *port)
{
	char *end = strchr(text, ']');

	*host = text;
	*port = DNS_PORT;
	if (text[0] != '[')
		return true;
	if (!end || end[1] != ':' || strspn(end + 2, "0123456789") != strlen(end + 2))
		return false;
	*host = text + 1;
	*end = '\0';
	*port = (unsigned)strtoul(end + 2, NULL, 10);
	return *port >= 1 && *port <= 65535;
}

static void add_server(struct resolver_settings *settings, const struct word *word, int *count)
{
	size_t used = strlen(settings->servers);
	char text[INET6_ADDRSTRLEN + sizeof "[]:65535"], *host;
	struct sockaddr_storage address;
	unsigned port;

	if (*count == NAMESERVERS_MAX || !copy_word(word, text, sizeof text) ||
	    !split_server(text, &host, &port) || !read_address(host, &address))
		return;
	snprintf(settings->servers + used, sizeof settings->servers - used,
		 address.ss_family == AF_INET6 ? "%s[%s]:%u" : "%s%s:%u", used ? "," : "", host,
		 port);
	(*count)++;
}

static void set_search(struct resolver_settings *settings, const char *at, const char *end)
{
	struct word word;

	settings->search_count = 0; /* the last line wins */
	while (settings->search_count < SEARCHES_MAX && next_word(&at, end, &word))
		if (copy_word(&word, settings->search[settings->search_count], SEARCH_TEXT_MAX))
			settings->search_count++;
}

static void set_option(struct resolver_settings *settings, const struct word *word)
{
	const struct {
		const char *name;
		int *value, least, most;
	} options[] = {{"ndots:", &settings->ndots, 0, 15},
		       {"timeout:", &settings->timeout, 1, 30},
		       {"attempts:", &settings->attempts, 1, 5}};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		size_t length = strlen(options[i].name);
		char number[8];
		long value;

		if (word->length <= length || word->length - length >= sizeof number ||
		    strncmp(word->text, options[i].name, length) != 0)
			continue;
		memcpy(number, word->text + length, word->length - length);
		number[word->length - length] = '\0';
		value = strtol(number, NULL, 10);
		if (value < options[i].least)
			value = options[i].least;
		*options[i].value = (int)(value > options[i].most ? options[i].most : value);
	}
}

void resolver_settings(const char *text, struct resolver_settings *settings)
{
	const char *at, *end;
	int servers = 0;

	*settings = (struct resolver_settings){.ndots = 1, .timeout = 5, .attempts = 2};
	while (next_line(&text, "#;", &at, &end)) {
		struct word key, word;

		if (!next_word(&at, end, &key))
			continue;
		if (is_word(&key, "nameserver") && next_word(&at, end, &word))
			add_server(settings, &word, &servers);
		else if (is_word(&key, "search") || is_word(&key, "domain"))
			set_search(settings, at, end);
		else if (is_word(&key, "options"))
			while (next_word(&at, end, &word))
				set_option(settings, &word);
	}
	if (servers == 0)
		snprintf(settings->servers, sizeof settings->servers, "127.0.0.1:%d", DNS_PORT);
}
