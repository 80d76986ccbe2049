#include "service/http/reply.h"

#include <ctype.h>
#include <string.h>

#include "service/http/status.h"

static char *put(char *at, const char *bytes, size_t length)
{
	memcpy(at, bytes, length);
	return at + length;
}

#define PUT(at, text) put(at, text, sizeof(text) - 1)

char *reply_number(char *at, uint64_t number)
{
	char digits[20];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *put_status(char *at, int status)
{
	const char *phrase = status_phrase(status);

	if (status == 200)
		return PUT(at, "HTTP/1.1 200 OK\r\n");
	at = PUT(at, "HTTP/1.1 ");
	at = reply_number(at, (uint64_t)status);
	at = PUT(at, " ");
	at = put(at, phrase, strlen(phrase));
	return PUT(at, "\r\n");
}

char *reply_start(char *at, const struct reply *reply)
{
	at = put_status(at, reply->status);
	at = put(at, reply->date, strlen(reply->date));
	if (reply->type) {
		at = PUT(at, "Content-Type: ");
		at = put(at, reply->type, strlen(reply->type));
		at = PUT(at, "\r\n");
	}
	if (reply->chunked) {
		at = PUT(at, "Transfer-Encoding: chunked\r\n");
	} else if (reply->sized) {
		at = PUT(at, "Content-Length: ");
		at = reply_number(at, reply->length);
		at = PUT(at, "\r\n");
	}
	if (reply->close)
		at = PUT(at, "Connection: close\r\n");
	else if (reply->minor == 0)
		at = PUT(at, "Connection: keep-alive\r\n");
	return at;
}

bool reply_name_valid(const char *bytes, size_t length)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)bytes[i]) &&
		    !memchr(others, bytes[i], sizeof others - 1))
			return false;
	return length > 0;
}

bool reply_value_valid(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((unsigned char)bytes[i] < ' ' && bytes[i] != '\t') || bytes[i] == 0x7f)
			return false;
	return true;
}

/* Not strftime: days and months are English whatever the locale. */
char *reply_time(char *at, time_t time)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	/* Years of four digits, whatever time a file has. */
	static const time_t first = -30610224000, last = 253402300799;
	struct tm tm;

	time = time < first ? first : time > last ? last : time;
	gmtime_r(&time, &tm);
	at = put(at, days + 3 * (size_t)tm.tm_wday, 3);
	at += strftime(at, 20, ", %d ", &tm);
	at = put(at, months + 3 * (size_t)tm.tm_mon, 3);
	at += strftime(at, 20, " %Y %H:%M:%S", &tm);
	return PUT(at, " GMT");
}

void reply_date(char out[40], time_t now)
{
	char *at = reply_time(PUT(out, "Date: "), now);

	memcpy(at, "\r\n", 3);
}
