#ifndef LUVD_HOST_CONTROL_KEEP_H
#define LUVD_HOST_CONTROL_KEEP_H

#include "host/control.h"

/* Connections of the control socket that outlive the image of the process. */

enum control_wait {
	CONTROL_WAIT_REQUEST, /* has not asked yet */
	CONTROL_WAIT_LOOK,    /* its request is asked anew */
	CONTROL_WAIT_UPGRADE,
	CONTROL_WAIT_RELOAD,
	CONTROL_WAIT_LINES, /* follows the log */
	CONTROL_WAITS
};

enum { CONTROL_TEXT_MAX = 257 };
struct control_kept {
	int fd; /* the control's */
	enum control_wait wait;
	uint64_t position;           /* of LINES: in the log's ring */
	char text[CONTROL_TEXT_MAX]; /* of LOOK: what it has asked; else "" */
};

/* At most size of them. */
size_t control_keep(const struct control *control, struct control_kept *list, size_t size);
/* All others are told that the daemon is being upgraded, and closed. */
void control_dismiss(struct control *control);
/* One of another image; its descriptor is taken over. One that waits for an upgrade or a reload is
 * to be given to whoever will call control_end. NULL: it is closed. */
struct control_client *control_adopt(struct control *control, const struct control_kept *kept);

#endif
