#include "host/crew/restart.h"

#include <string.h>
#include <sys/wait.h>

#include "host/crew/death.h"

void final_codes_of(struct final_codes *codes, const struct restart_spec *spec)
{
	*codes = (struct final_codes){0};
	for (size_t i = 0; i < spec->final_code_count; i++) {
		int code = spec->final_codes[i];

		if (code >= 0 && code < EXIT_CODES)
			codes->bits[code / 8] |= (uint8_t)(1U << code % 8);
	}
}

static bool exited(const struct end *end)
{
	return end->status != NO_PROCESS && WIFEXITED(end->status);
}

static bool is_final(const struct final_codes *codes, const struct end *end)
{
	int code = exited(end) ? WEXITSTATUS(end->status) : -1;

	return code >= 0 && (codes->bits[code / 8] >> code % 8 & 1U);
}

bool end_is_fine(const struct end *end)
{
	return end->served && exited(end) && WEXITSTATUS(end->status) == 0;
}

static void add_death(struct history *history, int64_t window, int64_t lived)
{
	int old = 0;

	history->clock += lived;
	while (old < history->count && history->deaths[old] <= history->clock - window)
		old++;
	if (history->count - old > RESTART_LIMIT_MAX)
		old++;
	history->count -= old;
	memmove(history->deaths, history->deaths + old,
		(size_t)history->count * sizeof *history->deaths);
	history->deaths[history->count++] = history->clock;
}

/* backoff * 2^(count - 2), a quarter more or less, within the limit; never 0, or a service that
 * cannot be spawned at all would be tried for ever in one turn of the loop. */
static int64_t backoff(const struct restart_spec *spec, int count, uint32_t random)
{
	int64_t delay = spec->backoff, most = spec->backoff_limit;

	if (count < 2)
		return 0;
	for (int i = 2; i < count && delay < most; i++)
		delay = delay > most / 2 ? most : delay * 2;
	if (delay > most)
		delay = most;
	delay = delay - delay / 4 + delay / 2 / 1024 * (random % 1025) +
		delay / 2 % 1024 * (random % 1025) / 1024;
	if (delay > most)
		delay = most;
	return delay > 0 ? delay : 1;
}

enum restart restart_decide(const struct restart_spec *spec, const struct final_codes *codes,
			    struct history *history, const struct end *end, int64_t *delay)
{
	*delay = 0;
	if (spec->policy == RESTART_NEVER || is_final(codes, end) ||
	    (spec->policy == RESTART_ON_FAILURE && end_is_fine(end)))
		return RESTART_FORBIDDEN;
	add_death(history, spec->window, end->lived);
	if (spec->limit > 0 && history->count > spec->limit)
		return RESTART_TOO_OFTEN;
	*delay = backoff(spec, history->count, end->random);
	return RESTART_NOW_OR_LATER;
}
