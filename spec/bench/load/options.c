#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { WRONG_USAGE = 2 };

static const char usage[] =
    "usage: load [OPTION ...] ADDRESS PORT\n"
    "  --connections N   at once (50)\n"
    "  --seconds S       how long (3)\n"
    "  --pipeline N      requests that are sent together (1)\n"
    "  --reconnect       a new connection for each request\n"
    "  --idle            hold the connections until standard input ends; with a request: one each\n"
    "  --sources N       client addresses, from 127.0.0.1 on (1)\n"
    "  --echo BYTES      messages of that size, which come back\n"
    "  --request TEXT    an HTTP request\n"
    "  --body TEXT       the body of each answer\n"
    "  --contains TEXT   what it contains";

static long number(const char *text, const char *what, long least, long most)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < least || value > most)
		errx(WRONG_USAGE, "%s: a number from %ld to %ld, not \"%s\"", what, least, most,
		     text);
	return value;
}

static void set(struct options *options, int option, const char *text)
{
	switch (option) {
	case 'n':
		options->connections = (int)number(text, "--connections", 1, 100000);
		break;
	case 's':
		options->seconds = strtod(text, NULL);
		break;
	case 'p':
		options->pipeline = (int)number(text, "--pipeline", 1, 1000);
		break;
	case 'a':
		options->sources = (int)number(text, "--sources", 1, 250);
		break;
	case 'e':
		options->echo = (size_t)number(text, "--echo", 16, 65536);
		break;
	case 'q':
		options->request = text;
		break;
	case 'b':
	case 'c':
		options->body = text;
		options->contains = option == 'c';
		break;
	default:
		errx(WRONG_USAGE, "%s", usage);
	}
}

static void set_address(struct options *options, const char *address, const char *port)
{
	options->address.sin_family = AF_INET;
	options->address.sin_port = htons((uint16_t)number(port, "PORT", 1, 65535));
	if (inet_pton(AF_INET, address, &options->address.sin_addr) != 1)
		errx(WRONG_USAGE, "ADDRESS: four numbers, not \"%s\"", address);
}

void options_read(struct options *options, int count, char **arguments)
{
	static const struct option names[] = {{"connections", required_argument, NULL, 'n'},
					      {"seconds", required_argument, NULL, 's'},
					      {"pipeline", required_argument, NULL, 'p'},
					      {"sources", required_argument, NULL, 'a'},
					      {"echo", required_argument, NULL, 'e'},
					      {"request", required_argument, NULL, 'q'},
					      {"body", required_argument, NULL, 'b'},
					      {"contains", required_argument, NULL, 'c'},
					      {"reconnect", no_argument, NULL, 'r'},
					      {"idle", no_argument, NULL, 'i'},
					      {NULL, 0, NULL, 0}};
	int option;

	*options = (struct options){.connections = 50, .pipeline = 1, .seconds = 3, .sources = 1};
	while ((option = getopt_long(count, arguments, "", names, NULL)) != -1) {
		if (option == 'r')
			options->reconnect = true;
		else if (option == 'i')
			options->idle = true;
		else
			set(options, option, optarg);
	}
	if (count - optind != 2 || (!options->idle && !options->echo == !options->request))
		errx(WRONG_USAGE, "%s", usage);
	set_address(options, arguments[optind], arguments[optind + 1]);
	if (options->request && !options->body)
		errx(WRONG_USAGE, "--request needs --body or --contains: answers are checked");
	if (options->reconnect && options->pipeline > 1)
		errx(WRONG_USAGE, "--reconnect sends one request a connection");
}
