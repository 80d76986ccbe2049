#ifndef LUVD_SPEC_SCRATCH_H
#define LUVD_SPEC_SCRATCH_H

#include "spec/spec.h"

/* A daemon that is tested (source.scratch, --scratch FOLDER) touches nothing but one folder: what
 * the daemon file names elsewhere is moved below it. What --set gives is taken as it is. */

/* Moves what the text alone decides: tcp and udp listeners to port 0 of loopback, unix sockets,
 * files that are written, pidfile and control socket below the folder, the log to stderr; and
 * allows a console. After the checks of spec_load. Errors: a socket's path that is too long. */
void scratch_move(struct spec *spec, struct errs *errs);
/* The same for the folders that spec_resolve finds. */
void scratch_resolve(struct spec *spec);
/* Adds the lines KEY=VALUE of FOLDER/sets, when there is such a file, to source->sets: how a
 * test changes keys for a reload. The file is trusted as a daemon file is (spec/trust.h). */
int scratch_read_sets(struct source *source, struct err *err);

#endif
