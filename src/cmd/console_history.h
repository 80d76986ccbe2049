#ifndef LUVD_CMD_CONSOLE_HISTORY_H
#define LUVD_CMD_CONSOLE_HISTORY_H

#include "spec/source.h"

/* Where what was typed into a console is kept: $XDG_STATE_HOME/luvd/console_history, else
 * ~/.local/state/luvd/console_history, 0600. Only in a folder that is the caller's and nobody
 * else's to write to, and never through a link: a console is often root's. */

enum { HISTORY_LINES = 1000, HISTORY_BYTES_MAX = 4 * 1024 * 1024 };

/* A descriptor of the folder, which is made when it is missing; -1: there is none to be trusted. */
int history_folder(const struct source *source);
/* A descriptor to read from, -1: there is none yet, or it is no file of ours. */
int history_read(int folder);
/* A descriptor to write to, emptied; -1. */
int history_write(int folder);

#endif
