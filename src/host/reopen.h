#ifndef LUVD_HOST_REOPEN_H
#define LUVD_HOST_REOPEN_H

#include "host/log.h"
#include "plan/daemon.h"

/* The declared files, opened anew behind the same descriptors: the new file first, then the swap,
 * so that a failure keeps the old one and becomes a log line. */
void reopen_files(struct daemon *daemon, struct log *log);

#endif
