#ifndef LUVD_HOST_FRAME_H
#define LUVD_HOST_FRAME_H

#include <stddef.h>
#include <sys/types.h>

/* What the control socket carries (docs/control.md): u32 length (big endian, of what follows, 1 to
 * CONTROL_FRAME_MAX), u8 type, payload. */
enum { CONTROL_FRAME_MAX = 65536, FRAME_HEAD = 5, FRAME_PAYLOAD_MAX = CONTROL_FRAME_MAX - 1 };
enum frame_type {
	FRAME_REQUEST = 'Q', /* client: words */
	FRAME_WITHIN = 'W',  /* server: decimal milliseconds; how long the next frame may take */
	FRAME_OUTPUT = 'O',  /* server: bytes */
	FRAME_END = 'E',     /* server: u8 exit code, text */
	/* of a console, any number of them after its request */
	FRAME_LUA = 'L',      /* client: Lua to evaluate */
	FRAME_COMPLETE = 'C', /* client: the text before the cursor */
	FRAME_RESULT = 'R'    /* server: u8 0, or 1 when the OUTPUT before it is an error */
};

struct frame {
	enum frame_type type;
	const unsigned char *payload; /* within the bytes that were parsed */
	size_t length;
};

/* The bytes before a payload of at most FRAME_PAYLOAD_MAX. */
void frame_head(unsigned char head[FRAME_HEAD], enum frame_type type, size_t length);
/* The frame at the start of bytes: how many bytes it takes, 0 when it is not yet whole, -1 when
 * this can become no frame whose length is at most max. */
ssize_t frame_parse(struct frame *frame, const unsigned char *bytes, size_t have, size_t max);

#endif
