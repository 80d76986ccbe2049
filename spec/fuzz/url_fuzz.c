#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "service/http/url.h"

/* A base, a newline, a reference. Parts lie inside the text and hold nothing that could end a
 * request line; what a reference resolves to is parsed or refused as any other. */

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check(const struct url *url, const char *text, size_t length)
{
	require(url->host.length > 0 && url->host.at + url->host.length <= length);
	require(url->path.at + url->path.length == url->query.at);
	require(url->query.at + url->query.length <= length);
	require(url->port != 0);
	for (size_t i = url->path.at; i < url->query.at + url->query.length; i++)
		require((unsigned char)text[i] > ' ' && (unsigned char)text[i] < 0x7f);
	require(url->path.length == 0 || text[url->path.at] == '/');
	require(url->query.length == 0 || text[url->query.at] == '?');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	size_t length = newline ? (size_t)(newline - data) : size;
	size_t rest = newline ? size - length - 1 : 0;
	char out[URL_MAX];
	struct url base, result;
	/* Of its own, so that a byte read behind it is seen. */
	char *text = malloc(length + 1), *reference = malloc(rest + 1);

	require(text && reference);
	memcpy(text, data, length);
	if (rest)
		memcpy(reference, newline + 1, rest);
	if (!url_parse(&base, text, length)) {
		check(&base, text, length);
		length = rest <= URL_MAX
			     ? url_resolve(text, &base, reference, rest, out, sizeof out)
			     : 0;
		require(length <= sizeof out);
		if (length > 0 && !url_parse(&result, out, length))
			check(&result, out, length);
	}
	free(text);
	free(reference);
	return 0;
}
