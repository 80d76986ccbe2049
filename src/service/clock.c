#include "service/clock.h"

int64_t clock_wall(const struct clock *clock)
{
	struct timespec now;

	if (clock->held)
		return clock->held->wall + (int64_t)clock->held->now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
