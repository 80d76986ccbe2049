#ifndef LUVD_SERVICE_PEERS_H
#define LUVD_SERVICE_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/conn.h"

/* How many connections each peer has open, for max_per_peer: a hash table with as many entries as
 * there are peers, so never more than connections. A peer is an IPv4 address, a /64 of IPv6 (one
 * customer has at least that, RFC 6177), or a uid. */

struct peer_count {
	uint64_t key;
	uint32_t count; /* 0: free */
	uint32_t family;
};

struct peers {
	struct peer_count *slots;
	size_t room, used; /* room is 0 or a power of two */
	uint64_t seed;     /* peers choose their addresses, not their slots */
};

/* One more of this peer, when it has fewer than most. false: not counted; also without memory. */
bool peers_enter(struct peers *peers, const struct conn_peer *peer, unsigned most);
/* One that was counted is gone. */
void peers_leave(struct peers *peers, const struct conn_peer *peer);
void peers_finish(struct peers *peers);

#endif
