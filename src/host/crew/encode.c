#include "host/crew/inside.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "spec/codec.h"

/* The crew as bytes, for the image that takes over. One function describes a part for both ways;
 * what was read must also be a crew as the tables leave one. */

static const uint32_t MAGIC = 0x5743564c, VERSION = 1; /* "LVCW" */

enum { LIVING_MOST = 1024 };

static void code_i64(struct codec *codec, int64_t *number)
{
	codec_i64(codec, number, 0);
}

static void code_enum(struct codec *codec, unsigned *value, unsigned count)
{
	uint32_t number = *value;

	codec_u32(codec, &number);
	if (number >= count)
		codec->failed = true;
	*value = codec->failed ? 0 : number;
}

static void code_history(struct codec *codec, struct history *history)
{
	code_i64(codec, &history->clock);
	codec_int(codec, &history->count, 0, RESTART_LIMIT_MAX + 1);
	for (int i = 0; i < history->count; i++)
		code_i64(codec, &history->deaths[i]);
}

static void code_worker(struct codec *codec, struct worker *worker)
{
	unsigned state = worker->slot.state;
	int pid = worker->slot.pid;

	code_enum(codec, &state, WORKER_STATES);
	worker->slot.state = (enum worker_state)state;
	codec_int(codec, &pid, 0, INT_MAX);
	worker->slot.pid = pid;
	code_i64(codec, &worker->slot.at);
	code_i64(codec, &worker->slot.started);
	codec_u32(codec, &worker->slot.restarts);
	codec_bool(codec, &worker->slot.lost);
	codec_bool(codec, &worker->served);
	codec_bool(codec, &worker->told);
	code_history(codec, &worker->history);
}

static void code_rules(struct codec *codec, struct rules *rules)
{
	struct crew_rules *told = &rules->told;
	unsigned policy = told->restart.policy, over = told->restart.over;

	codec_int(codec, &told->workers, 1, WORKERS_MAX);
	codec_int(codec, &told->generations, GENERATIONS_LEAST, INT_MAX);
	code_i64(codec, &told->timeout_start);
	code_i64(codec, &told->timeout_reload);
	code_i64(codec, &told->timeout_stop);
	code_i64(codec, &told->timeout_drain);
	code_enum(codec, &policy, RESTART_NEVER + 1);
	told->restart.policy = (enum restart_policy)policy;
	code_i64(codec, &told->restart.backoff);
	code_i64(codec, &told->restart.backoff_limit);
	codec_int(codec, &told->restart.limit, 0, RESTART_LIMIT_MAX);
	codec_i64(codec, &told->restart.window, 1);
	code_enum(codec, &over, RESTART_OVER_GO_ON + 1);
	told->restart.over = (enum restart_over)over;
	codec_bytes(codec, rules->final.bits, sizeof rules->final.bits);
}

static void code_generation(struct codec *codec, struct generation *generation)
{
	unsigned state = generation->state;

	code_enum(codec, &state, GENERATION_STATES);
	generation->state = (enum generation_state)state;
	for (int i = 0; i < generation->count; i++)
		code_worker(codec, &generation->workers[i]);
}

static void code_crew(struct codec *codec, struct crew *crew)
{
	uint32_t magic = MAGIC, version = VERSION;
	unsigned state = crew->state;

	codec_u32(codec, &magic);
	codec_u32(codec, &version);
	if (magic != MAGIC || version != VERSION)
		codec->failed = true;
	code_enum(codec, &state, MONITOR_STATES);
	crew->state = (enum monitor_state)state;
	code_i64(codec, &crew->now);
	codec_int(codec, &crew->last_id, 1, INT_MAX);
	codec_u32(codec, &crew->restarts);
	codec_bool(codec, &crew->waits);
	codec_bool(codec, &crew->badly);
}

static void write_generations(struct codec *codec, const struct crew *crew)
{
	int count = crew_live(crew);

	codec_int(codec, &count, 1, LIVING_MOST);
	for (struct generation *it = crew->oldest; it; it = it->next) {
		if (it->state == GENERATION_GONE)
			continue;
		codec_int(codec, &it->id, 1, crew->last_id);
		code_rules(codec, &it->rules);
		code_generation(codec, it);
	}
}

int crew_encode(const struct crew *crew, unsigned char **bytes, size_t *length, struct err *err)
{
	struct codec codec = {0};
	struct crew copy = *crew; /* the codec writes back what it reads */
	bool failed;

	*bytes = NULL;
	if (crew->state != MONITOR_RUNNING && crew->state != MONITOR_UPGRADING)
		return err_set(err, "cannot hand the workers over while the daemon is %s",
			       monitor_state_name(crew->state));
	codec.out = open_memstream((char **)bytes, length);
	if (!codec.out)
		return err_sys(err, "cannot write down the workers");
	code_crew(&codec, &copy);
	write_generations(&codec, crew);
	failed = codec.failed || ferror(codec.out);
	if (fclose(codec.out) == 0 && !failed)
		return 0;
	free(*bytes);
	*bytes = NULL;
	errno = ENOMEM;
	return err_sys(err, "cannot write down the workers");
}

/* --- reading --- */

static void read_generation(struct codec *codec, struct crew *crew, int least)
{
	struct generation *fresh = NULL;
	struct rules rules = {0};
	int id = 0;

	codec_int(codec, &id, least, crew->last_id);
	code_rules(codec, &rules);
	/* A worker takes more than 16 bytes: so no count costs more memory than there are bytes. */
	if (codec->failed || (size_t)rules.told.workers > codec->left / 16 ||
	    !(fresh = generation_create(crew, &rules, id))) {
		codec->failed = true;
		return;
	}
	fresh->waits = false;
	code_generation(codec, fresh);
	if (fresh->state == GENERATION_CURRENT && !crew->current)
		crew->current = fresh;
	else if (fresh->state != GENERATION_DRAINING)
		codec->failed = true;
}

static int youngest(const struct crew *crew)
{
	int id = 0;

	for (const struct generation *it = crew->oldest; it; it = it->next)
		id = it->id;
	return id;
}

/* Does the state have the time and the process that it needs? */
static bool worker_is_right(const struct worker *worker)
{
	const struct worker_slot *slot = &worker->slot;
	bool current = worker->generation->state == GENERATION_CURRENT;

	switch (slot->state) {
	case WORKER_ABSENT:
		return slot->pid == 0 && (slot->at == 0 || (current && !slot->lost));
	case WORKER_STARTING:
		return current && slot->pid > 0 && slot->at > 0;
	case WORKER_READY:
		return current && slot->pid > 0 && slot->at == 0;
	case WORKER_LEAVING:
		return slot->pid > 0 && slot->at > 0;
	case WORKER_KILLED:
		return slot->pid > 0 && slot->at == 0;
	default:
		return false;
	}
}

static bool crew_is_right(const struct crew *crew)
{
	if (!crew->current || (crew->state != MONITOR_RUNNING && crew->state != MONITOR_UPGRADING))
		return false;
	for (const struct generation *it = crew->oldest; it; it = it->next)
		for (int i = 0; i < it->count; i++)
			if (!worker_is_right(&it->workers[i]))
				return false;
	return true;
}

struct crew *crew_decode(const struct crew_calls *calls, const unsigned char *bytes, size_t length,
			 struct err *err)
{
	struct codec codec = {.reading = true, .in = bytes, .left = length};
	struct crew *crew = crew_create(calls, err);
	int count = 0;

	if (!crew)
		return NULL;
	code_crew(&codec, crew);
	codec_int(&codec, &count, 1, LIVING_MOST);
	for (int i = 0; i < count && !codec.failed; i++)
		read_generation(&codec, crew, youngest(crew) + 1);
	if (!codec.failed && codec.left == 0 && crew_is_right(crew))
		return crew;
	crew_destroy(crew);
	err_set(err, "workers: not of this version, cut or damaged");
	return NULL;
}
