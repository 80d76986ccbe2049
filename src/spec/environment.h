#ifndef LUVD_SPEC_ENVIRONMENT_H
#define LUVD_SPEC_ENVIRONMENT_H

#include "spec/spec.h"

/* The service's whole environment, from the resolved user: fixed and user's variables, then those
 * kept from the launcher, then those set. Later ones replace earlier ones. */
void environment_make(struct spec *spec);

#endif
