#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "host/monitor/handover.h"

/* Any bytes as what another image has left. What is accepted can be written again. */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct handover handover;
	struct err err = {0};
	unsigned char *again = NULL;
	size_t length = 0;

	if (handover_decode(&handover, bytes, size, &err) < 0) {
		if (!*err.what)
			abort();
		return 0;
	}
	if (handover_encode(&handover, &again, &length, &err) < 0 || length != size ||
	    memcmp(again, bytes, size) != 0)
		abort();
	free(again);
	handover_finish(&handover);
	return 0;
}
