#ifndef LUVD_HOST_BUNDLE_H
#define LUVD_HOST_BUNDLE_H

#include "spec/spec.h"

/* The spec whose bundle is the file behind fd, from its first byte to its last; fd stays the
 * caller's, and where it stands. NULL with err. */
struct spec *bundle_read(int fd, struct err *err);

#endif
