#include "host/frame.h"

#include <stdbool.h>
#include <stdint.h>

void frame_head(unsigned char head[FRAME_HEAD], enum frame_type type, size_t length)
{
	uint32_t follows = (uint32_t)length + 1;

	head[0] = (unsigned char)(follows >> 24);
	head[1] = (unsigned char)(follows >> 16);
	head[2] = (unsigned char)(follows >> 8);
	head[3] = (unsigned char)follows;
	head[4] = (unsigned char)type;
}

static bool known(unsigned char type)
{
	switch (type) {
	case FRAME_REQUEST:
	case FRAME_WITHIN:
	case FRAME_OUTPUT:
	case FRAME_END:
	case FRAME_LUA:
	case FRAME_COMPLETE:
	case FRAME_RESULT:
		return true;
	default:
		return false;
	}
}

ssize_t frame_parse(struct frame *frame, const unsigned char *bytes, size_t have, size_t max)
{
	uint32_t follows;

	if (have < 4)
		return 0;
	follows = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		  bytes[3];
	if (follows < 1 || follows > max)
		return -1;
	if (have < FRAME_HEAD)
		return 0;
	if (!known(bytes[4]))
		return -1;
	if (have - 4 < follows)
		return 0;
	frame->type = (enum frame_type)bytes[4];
	frame->payload = bytes + FRAME_HEAD;
	frame->length = follows - 1;
	return (ssize_t)follows + 4;
}
