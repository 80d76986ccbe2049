#include "service/http/body.h"

#include "service/hex.h"

enum { SIZE_DIGITS_MAX = 15 }; /* of a chunk: then it fits with room to spare */

void body_begin(struct body *body, bool chunked, uint64_t length)
{
	*body = (struct body){.left = length, .chunked = chunked};
	if (chunked)
		body->state = BODY_SIZE;
	else
		body->state = length > 0 ? BODY_DATA : BODY_DONE;
}

static uint8_t on_size(struct body *body, char c)
{
	int digit = hex_digit(c);

	if (digit >= 0) {
		body->left = body->left * 16 + (uint64_t)digit;
		return ++body->digits <= SIZE_DIGITS_MAX ? BODY_SIZE : BODY_WRONG;
	}
	if (body->digits == 0)
		return BODY_WRONG;
	if (c == '\r')
		return BODY_SIZE_LF;
	body->extra = 0;
	return c == ';' ? BODY_EXTENSION : BODY_WRONG;
}

static uint8_t on_extension(struct body *body, char c)
{
	if (c == '\r')
		return BODY_SIZE_LF;
	if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
		return BODY_WRONG;
	return ++body->extra <= BODY_EXTENSION_MAX ? BODY_EXTENSION : BODY_WRONG;
}

static uint8_t after_size(struct body *body)
{
	body->digits = 0;
	if (body->left > 0)
		return BODY_DATA;
	body->extra = 0;
	body->line_empty = true;
	return BODY_TRAILER;
}

static uint8_t on_trailer(struct body *body, char c)
{
	if (++body->extra > BODY_TRAILER_MAX)
		return BODY_WRONG;
	if (c == '\r')
		return BODY_TRAILER_LF;
	if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f)
		return BODY_WRONG;
	/* A line of the trailer begins with a name: a folded one is none. */
	if (body->line_empty && (c == ' ' || c == '\t' || c == ':'))
		return BODY_WRONG;
	body->line_empty = false;
	return BODY_TRAILER;
}

static uint8_t after_trailer_line(struct body *body)
{
	if (body->line_empty)
		return BODY_DONE;
	body->line_empty = true;
	return BODY_TRAILER;
}

/* One byte of what is between the data. */
static uint8_t step(struct body *body, char c)
{
	switch (body->state) {
	case BODY_SIZE:
		return on_size(body, c);
	case BODY_EXTENSION:
		return on_extension(body, c);
	case BODY_SIZE_LF:
		return c == '\n' ? after_size(body) : BODY_WRONG;
	case BODY_DATA_CR:
		return c == '\r' ? BODY_DATA_LF : BODY_WRONG;
	case BODY_DATA_LF:
		return c == '\n' ? BODY_SIZE : BODY_WRONG;
	case BODY_TRAILER:
		return on_trailer(body, c);
	case BODY_TRAILER_LF:
		return c == '\n' ? after_trailer_line(body) : BODY_WRONG;
	default:
		return BODY_WRONG;
	}
}

size_t body_take(struct body *body, const char *bytes, size_t length, const char **data,
		 size_t *data_length)
{
	size_t used = 0;

	*data = bytes;
	*data_length = 0;
	while (used < length && body->state != BODY_DATA && body->state < BODY_DONE)
		body->state = step(body, bytes[used++]);
	if (body->state != BODY_DATA || used == length)
		return used;
	*data = bytes + used;
	*data_length = length - used;
	if (*data_length > body->left)
		*data_length = (size_t)body->left;
	body->left -= *data_length;
	if (body->left == 0)
		body->state = body->chunked ? BODY_DATA_CR : BODY_DONE;
	return used + *data_length;
}
