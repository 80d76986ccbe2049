#ifndef LUVD_HOST_VERDICT_H
#define LUVD_HOST_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "host/control.h"
#include "host/log.h"
#include "spec/spec.h"

/* What becomes of a reload, in words, and who waits for them. The same for both kinds of daemon. */

/* The last one, for status. */
struct reload_verdict {
	time_t at; /* 0: there was none */
	bool done;
	int64_t took;               /* milliseconds, from the request to the verdict */
	uint64_t accepted, refused; /* of all so far */
	char text[1700];            /* "reloaded in 34 ms: config.banner", or why not */
	char more[1700];            /* the same for a person, with the lines that are to blame */
};

/* ms: how long it took; generation: the new one, or 0 when it was done in place. */
void verdict_accept(struct reload_verdict *verdict, const struct change *change, int generation,
		    int64_t ms);
void verdict_refuse(struct reload_verdict *verdict, const struct err *err, int64_t ms);
/* What a line of the source has to do with it; quote: of spec/quote.h, or NULL. */
void verdict_quote(struct reload_verdict *verdict, const char *quote);
void verdict_log(const struct reload_verdict *verdict, struct log *log); /* log may be NULL */

/* Clients of the control socket. */
struct waiters {
	struct control_client *clients[CONTROL_CLIENTS_MAX];
	size_t count;
};

/* client may be NULL; one too many is refused at once. */
void waiters_add(struct waiters *waiters, struct control_client *client);
void waiters_answer(struct waiters *waiters, int code, const char *text);

#endif
