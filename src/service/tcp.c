#include "service/tcp.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

int tcp_set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
		       {SOL_SOCKET, SO_KEEPALIVE, 1},
		       {IPPROTO_TCP, TCP_KEEPIDLE, 600},
		       {IPPROTO_TCP, TCP_KEEPINTVL, 60},
		       {IPPROTO_TCP, TCP_KEEPCNT, 6}};

	for (size_t i = 0; i < sizeof options / sizeof *options; i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			       sizeof options[i].value) < 0)
			return -errno;
	return 0;
}

void tcp_bound_sending(int fd, int64_t most)
{
	unsigned milliseconds = most < INT_MAX ? (unsigned)most : INT_MAX;

	/* Without it the kernel has a bound of its own. */
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}
