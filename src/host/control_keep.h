#ifndef LUVD_HOST_CONTROL_KEEP_H
#define LUVD_HOST_CONTROL_KEEP_H

#include "host/control.h"

/* Connections of the control socket that outlive the image of the process: of those that wait for
 * the end of something long, and of those that follow the log. */

enum control_wait { CONTROL_WAIT_UPGRADE, CONTROL_WAIT_RELOAD, CONTROL_WAIT_LINES, CONTROL_WAITS };

struct control_kept {
	int fd; /* the control's */
	enum control_wait wait;
	uint64_t position; /* CONTROL_WAIT_LINES: in the log's ring */
};

/* At most size of them. */
size_t control_keep(const struct control *control, struct control_kept *list, size_t size);
/* All others are told that the daemon is being upgraded, and closed. */
void control_dismiss(struct control *control);
/* One of another image; its descriptor is taken over. Unless it waits for lines it is to be given
 * to whoever will call control_end. NULL: out of memory, and the descriptor is closed. */
struct control_client *control_adopt(struct control *control, const struct control_kept *kept);

#endif
