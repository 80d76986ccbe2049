#include "service/peers.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_LEAST = 16 };

static struct peer_count key_of(const struct conn_peer *peer)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291, 2.5.5.2 */
	struct peer_count key = {.count = 1, .family = peer->family};
	uint32_t four;

	if (peer->family == AF_UNIX) {
		key.key = peer->extra;
	} else if (peer->family == AF_INET6 && memcmp(peer->host, mapped, sizeof mapped) != 0) {
		memcpy(&key.key, peer->host, sizeof key.key);
	} else {
		memcpy(&four, peer->host + (peer->family == AF_INET6 ? 12 : 0), sizeof four);
		key.family = AF_INET;
		key.key = four;
	}
	return key;
}

/* The finalizer of MurmurHash3 over the key and the seed. */
static size_t slot_of(const struct peers *peers, const struct peer_count *key)
{
	uint64_t hash = (key->key ^ peers->seed) + key->family;

	hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
	hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (size_t)(hash ^ hash >> 33) & (peers->room - 1);
}

/* The slot of the key, or the free one where it belongs. */
static struct peer_count *find(const struct peers *peers, const struct peer_count *key)
{
	size_t at = slot_of(peers, key);

	for (;; at = (at + 1) & (peers->room - 1)) {
		struct peer_count *slot = &peers->slots[at];

		if (slot->count == 0 || (slot->key == key->key && slot->family == key->family))
			return slot;
	}
}

static int grow(struct peers *peers)
{
	struct peers more = {.room = peers->room ? 2 * peers->room : ROOM_LEAST,
			     .used = peers->used,
			     .seed = peers->seed};

	if (!peers->room && uv_random(NULL, NULL, &more.seed, sizeof more.seed, 0, NULL) < 0)
		return -1;
	more.slots = calloc(more.room, sizeof *more.slots);
	if (!more.slots)
		return -1;
	for (size_t i = 0; i < peers->room; i++)
		if (peers->slots[i].count > 0)
			*find(&more, &peers->slots[i]) = peers->slots[i];
	free(peers->slots);
	*peers = more;
	return 0;
}

bool peers_enter(struct peers *peers, const struct conn_peer *peer, unsigned most)
{
	struct peer_count key = key_of(peer), *slot;

	if (4 * (peers->used + 1) > 3 * peers->room && grow(peers) < 0)
		return false;
	slot = find(peers, &key);
	if (slot->count >= most)
		return false;
	if (slot->count > 0) {
		slot->count++;
		return true;
	}
	*slot = key;
	peers->used++;
	return true;
}

/* Those behind it that would not be found over the gap move into it (Knuth 6.4, algorithm R). */
static void empty(struct peers *peers, size_t gap)
{
	size_t mask = peers->room - 1;

	for (size_t at = (gap + 1) & mask; peers->slots[at].count > 0; at = (at + 1) & mask) {
		size_t home = slot_of(peers, &peers->slots[at]);

		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		peers->slots[gap] = peers->slots[at];
		gap = at;
	}
	peers->slots[gap].count = 0;
	peers->used--;
}

void peers_leave(struct peers *peers, const struct conn_peer *peer)
{
	struct peer_count key = key_of(peer), *slot;

	if (peers->room == 0)
		return;
	slot = find(peers, &key);
	if (slot->count > 1)
		slot->count--;
	else if (slot->count == 1)
		empty(peers, (size_t)(slot - peers->slots));
}

void peers_finish(struct peers *peers)
{
	free(peers->slots);
	*peers = (struct peers){0};
}
