#include "text.h"

size_t text_utf8_length(const unsigned char *bytes, size_t left)
{
	unsigned char first = bytes[0];
	unsigned char low = 0x80, high = 0xBF; /* of the second byte */
	size_t length;

	if (first < 0x80)
		return 1;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (first == 0xE0)
		low = 0xA0; /* shorter forms exist */
	if (first == 0xED)
		high = 0x9F; /* surrogates */
	if (first == 0xF0)
		low = 0x90;
	if (first == 0xF4)
		high = 0x8F; /* above U+10FFFF */
	if (left < length || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	return length;
}

static void json_char(FILE *out, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		fprintf(out, "\\%c", c);
		break;
	case '\n':
		fputs("\\n", out);
		break;
	case '\t':
		fputs("\\t", out);
		break;
	case '\r':
		fputs("\\r", out);
		break;
	default:
		if (c < 0x20 || c == 0x7F)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
}

void text_json(FILE *out, const char *bytes, size_t length)
{
	const unsigned char *p = (const unsigned char *)bytes;

	fputc('"', out);
	for (size_t i = 0; i < length;) {
		size_t n = text_utf8_length(p + i, length - i);

		if (n == 0)
			fputs("\\ufffd", out);
		else if (n == 1)
			json_char(out, p[i]);
		else
			fwrite(p + i, 1, n, out);
		i += n ? n : 1;
	}
	fputc('"', out);
}

static void put_line(FILE *out, const char *bytes, size_t length, bool doubled)
{
	const unsigned char *p = (const unsigned char *)bytes;

	for (size_t i = 0; i < length;) {
		size_t n = text_utf8_length(p + i, length - i);
		/* U+0080 to U+009F are control characters too: C2 80 to C2 9F. */
		int control = n == 0 || (n == 1 && (p[i] < 0x20 || p[i] == 0x7F)) ||
			      (n == 2 && p[i] == 0xC2 && p[i + 1] < 0xA0);
		size_t step = n ? n : 1;

		if (control)
			for (size_t k = 0; k < step; k++)
				fprintf(out, "\\x%02x", p[i + k]);
		else if (doubled && p[i] == '\\' && i + 1 < length && p[i + 1] == 'x')
			fputs("\\\\", out);
		else
			fwrite(p + i, 1, step, out);
		i += step;
	}
}

void text_line(FILE *out, const char *bytes, size_t length)
{
	put_line(out, bytes, length, true);
}

void text_shown(FILE *out, const char *bytes, size_t length)
{
	put_line(out, bytes, length, false);
}

void text_duration(FILE *out, int64_t milliseconds)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}};
	int shown = 0;

	if (milliseconds < 1000) {
		fprintf(out, "%lldms", (long long)milliseconds);
		return;
	}
	for (size_t i = 0; i < sizeof units / sizeof *units && shown < 2; i++) {
		int64_t n = milliseconds / units[i].ms;

		if (n == 0 && shown == 0)
			continue;
		if (n)
			fprintf(out, "%s%lld%s", shown ? " " : "", (long long)n, units[i].unit);
		milliseconds -= n * units[i].ms;
		shown++;
	}
}

void text_size(FILE *out, uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double size = (double)bytes;
	size_t i = 0;

	if (bytes < 1024) {
		fprintf(out, "%llu B", (unsigned long long)bytes);
		return;
	}
	for (size /= 1024; size >= 1024 && i < 3; i++)
		size /= 1024;
	if (size == (double)(uint64_t)size)
		fprintf(out, "%llu %s", (unsigned long long)size, units[i]);
	else
		fprintf(out, "%.1f %s", size, units[i]);
}
