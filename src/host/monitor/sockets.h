#ifndef LUVD_HOST_MONITOR_SOCKETS_H
#define LUVD_HOST_MONITOR_SOCKETS_H

#include "plan/daemon.h"
#include "plan/listen.h"

/* The listening sockets of a monitor, for its whole life. One an address, or one an address and
 * worker slot with reuseport; generations find theirs by address, so that a reload binds only what
 * is new and closes only what no living generation has. */

struct sockets;

/* Room for the roster of any worker: "255.255," for each socket. */
enum { SOCKETS_ROSTER_MAX = SOCKETS_MAX * 8 };

/* Takes daemon->listeners over as those of generation 1 (daemon's list stays for who reads names;
 * its descriptors are the sockets', and -1 there). */
struct sockets *sockets_create(struct daemon *daemon, struct err *err);
void sockets_destroy(struct sockets *sockets); /* closes; unlinks nothing; accepts NULL */
/* Those of a new generation: known addresses are matched, new ones bound. A change that overlaps
 * with a socket that another address holds (tcp://0.0.0.0:80 and tcp://127.0.0.1:80) is refused:
 * "needs restart". -1 with line and key: nothing has changed. fresh lives as long as the
 * generation. Sockets of a service manager are matched as at start, and kept when no entry has
 * them. */
int sockets_prepare(struct sockets *sockets, const struct spec *fresh, int generation,
		    struct err *err);
/* The generation is the current one: backlog and receive buffers become those of its entries, and
 * what neither it nor a younger one has is closed at once, so that nobody waits at a door that is
 * not served any more; the file of a unix socket goes, if it is still ours. */
void sockets_serve(struct sockets *sockets, int generation);
/* Its spec was replaced by one with the same listen entries (a reload in place). */
void sockets_respec(struct sockets *sockets, int generation, const struct spec *fresh);
/* The generation is gone, or never came: closes what nobody else has, removes the files of unix
 * sockets that it bound. */
void sockets_release(struct sockets *sockets, int generation);
/* What the worker of slot (1..N) gets: descriptors, which stay the sockets', and the roster,
 * "0.0,0.1,1.0": for each the index of its listen entry and of the address in it, or "-" when
 * there are none. Returns how many, at most SOCKETS_MAX; roster has room for SOCKETS_ROSTER_MAX. */
size_t sockets_of(const struct sockets *sockets, int generation, int slot, int *fds, size_t size,
		  char *roster, size_t roster_size);
/* For status: name, address and what it is bound to; fd is of slot 1, others is empty. NULL and 0:
 * there is no such generation. */
const struct listener *sockets_list(const struct sockets *sockets, int generation, size_t *count);

/* --- for an upgrade: the whole as plain bytes of malloc(3), and back --- */
int sockets_encode(const struct sockets *sockets, unsigned char **bytes, size_t *length,
		   struct err *err);
/* spec_of: the spec of a living generation; NULL: there is none of this id. What it has read can be
 * destroyed by sockets_forget as long as the descriptors are not its own. */
struct sockets *sockets_decode(const unsigned char *bytes, size_t length,
			       const struct spec *(*spec_of)(void *data, int generation),
			       void *data, struct err *err);
/* Frees it, and leaves all descriptors open; accepts NULL. */
void sockets_forget(struct sockets *sockets);
/* At most size of them are written to list; returns how many there are. */
size_t sockets_descriptors(const struct sockets *sockets, int *list, size_t size);

#endif
