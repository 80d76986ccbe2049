#include "service/http/target.h"

#include <string.h>
#include <strings.h>

#include "service/hex.h"

/* The byte that "%41" stands for, or -1. */
static int escaped(const char *bytes, size_t left)
{
	int high = left > 2 ? hex_digit(bytes[1]) : -1;
	int low = left > 2 ? hex_digit(bytes[2]) : -1;

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

size_t target_unescape(const char *bytes, size_t length, bool plus, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < length; i++) {
		int byte = bytes[i] == '%' ? escaped(bytes + i, length - i) : -1;

		if (byte >= 0)
			i += 2;
		else
			byte = plus && bytes[i] == '+' ? ' ' : (unsigned char)bytes[i];
		out[at++] = (char)byte;
	}
	return at;
}

/* --- the path --- */

/* No escape, and no segment that is empty, "." or "..". */
static bool is_plain(const char *path, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (path[i] == '%')
			return false;
		if (path[i] == '/' && i + 1 < length && (path[i + 1] == '/' || path[i + 1] == '.'))
			return false;
	}
	return true;
}

static bool decode(const struct target *target, char *out, size_t *length)
{
	size_t at = 0;

	for (size_t i = 0; i < target->path_length; i++) {
		int byte = (unsigned char)target->path[i];

		if (byte == '%') {
			byte = escaped(target->path + i, target->path_length - i);
			if (byte <= 0 || byte == '/')
				return false;
			i += 2;
		}
		out[at++] = (char)byte;
	}
	*length = at;
	return true;
}

static bool is_dots(const char *segment, size_t length, size_t dots)
{
	return length == dots && memcmp(segment, "..", dots) == 0;
}

/* Drops the last segment and its slash; false: there is none. */
static bool drop_last(const char *path, size_t *length)
{
	if (*length == 0)
		return false;
	while (path[--*length] != '/')
		;
	return true;
}

/* In place: what is written never overtakes what is read. */
static size_t normalise(char *path, size_t length)
{
	size_t at = 0, i = 0;
	bool folder = true; /* it ends with a slash */

	while (i < length) {
		size_t start = i + 1;
		size_t end = start;

		while (end < length && path[end] != '/')
			end++;
		i = end;
		folder = true;
		if (is_dots(path + start, end - start, 2)) {
			if (!drop_last(path, &at))
				return 0;
		} else if (end > start && !is_dots(path + start, end - start, 1)) {
			path[at++] = '/';
			memmove(path + at, path + start, end - start);
			at += end - start;
			folder = false;
		}
	}
	if (folder)
		path[at++] = '/';
	return at;
}

size_t target_path(const struct target *target, char *out)
{
	size_t length;

	if (target->plain) {
		memcpy(out, target->path, target->path_length);
		return target->path_length;
	}
	return decode(target, out, &length) ? normalise(out, length) : 0;
}

/* --- its parts --- */

/* "http://host:port" before the path. */
static bool split_url(struct target *target, const char **bytes, size_t *length)
{
	static const char *const schemes[] = {"http://", "https://"};
	const char *at = *bytes, *end = at + *length;

	for (size_t i = 0; i < 2; i++) {
		size_t skip = strlen(schemes[i]);

		if (*length <= skip || strncasecmp(at, schemes[i], skip) != 0)
			continue;
		target->host = at + skip;
		for (at = target->host; at < end && *at != '/' && *at != '?'; at++)
			if (*at == '@') /* RFC 9110 4.2.4: a trap, not a user */
				return false;
		target->host_length = (size_t)(at - target->host);
		*bytes = at;
		*length = (size_t)(end - at);
		return target->host_length > 0;
	}
	return false;
}

bool target_split(struct target *target, const char *bytes, size_t length)
{
	const char *mark;

	*target = (struct target){.path = bytes, .path_length = length, .plain = true};
	if (length == 1 && bytes[0] == '*')
		return true;
	if (length == 0 || memchr(bytes, '#', length))
		return false;
	if (bytes[0] != '/' && !split_url(target, &bytes, &length))
		return false;
	mark = memchr(bytes, '?', length);
	target->path = bytes;
	target->path_length = mark ? (size_t)(mark - bytes) : length;
	if (mark) {
		target->query = mark + 1;
		target->query_length = length - target->path_length - 1;
	}
	if (target->path_length == 0) {
		target->path = "/";
		target->path_length = 1;
	}
	target->plain = is_plain(target->path, target->path_length);
	return true;
}
