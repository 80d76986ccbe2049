#ifndef LUVD_HOST_RELAY_FORM_H
#define LUVD_HOST_RELAY_FORM_H

#include <stdint.h>

/* A record of host/relay in the pipe: the head, the message, then each field with its key, a NUL
 * and its bytes. Numbers as this machine has them: both ends are luvd on the same one, but after an
 * upgrade not necessarily the same luvd, hence the version. */

enum { RELAY_VERSION = 1 };

enum relay_kind {
	RELAY_LINE = 1,
	RELAY_LOST, /* cut: how many lines found no room; nothing follows the head */
	RELAY_KINDS
};

struct relay_head {
	uint32_t length; /* of the whole record, this head included */
	uint8_t version;
	uint8_t kind;
	uint8_t level;
	uint8_t fields;
	int64_t seconds; /* CLOCK_REALTIME */
	uint32_t nanoseconds;
	uint32_t message; /* its bytes */
	uint64_t cut;     /* bytes of the message that were left out */
};

struct relay_field_head {
	uint32_t length; /* of the value */
	uint8_t raw;
	uint8_t key; /* its bytes, without the NUL that follows them */
	uint16_t zero;
};

enum { RELAY_KEY_MAX = 255 };

#endif
