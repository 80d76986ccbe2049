#ifndef LUVD_SPEC_INHERIT_H
#define LUVD_SPEC_INHERIT_H

#include "spec/spec.h"

/* Gives a spec that was only loaded what spec_resolve has found out for the running one. None of
 * it may change in a running daemon, which may have no right to ask again: users and folders of
 * its first root are out of its sight. -1: out of memory. */
int spec_inherit(struct spec *fresh, const struct spec *running);

#endif
