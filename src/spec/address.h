#ifndef LUVD_SPEC_ADDRESS_H
#define LUVD_SPEC_ADDRESS_H

#include "spec/arena.h"
#include "spec/spec.h"

enum { ADDRESS_PARTS_MAX = 2 };

/* "tcp://127.0.0.1:80", "udp://[::1]:53", any host as "*" (two sockets, IPv4 and IPv6),
 * "unix:/path", "unix:@abstract". A relative path is relative to folder. Fills parts and returns
 * their number; 0 with what was expected in *expected when text is no such address. */
int address_parse(struct arena *arena, const char *folder, const char *text,
		  struct address parts[ADDRESS_PARTS_MAX], const char **expected);

#endif
