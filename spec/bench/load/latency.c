#include "load.h"

static unsigned bucket_of(uint64_t nanoseconds)
{
	unsigned power;

	if (nanoseconds < 16)
		return (unsigned)nanoseconds;
	power = 63 - (unsigned)__builtin_clzll(nanoseconds);
	return (power - 3) * 16 + (unsigned)(nanoseconds >> (power - 4)) % 16;
}

/* The greatest time in it; of the last bucket the shift wraps to zero, and so it fits. */
static uint64_t end_of(unsigned bucket)
{
	unsigned power = bucket / 16 + 3;

	if (bucket < 16)
		return bucket;
	return ((uint64_t)(16 + bucket % 16 + 1) << (power - 4)) - 1;
}

void latency_add(struct latency *latency, uint64_t nanoseconds)
{
	latency->counts[bucket_of(nanoseconds)]++;
	latency->total++;
	if (nanoseconds > latency->longest)
		latency->longest = nanoseconds;
}

uint64_t latency_at(const struct latency *latency, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)latency->total);
	uint64_t seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		seen += latency->counts[i];
		if (seen > wanted)
			return end_of(i) < latency->longest ? end_of(i) : latency->longest;
	}
	return latency->longest;
}
