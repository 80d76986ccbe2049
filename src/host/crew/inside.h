#ifndef LUVD_HOST_CREW_INSIDE_H
#define LUVD_HOST_CREW_INSIDE_H

#include "host/crew/crew.h"
#include "host/crew/death.h"
#include "host/crew/restart.h"

/* What the files of the crew share: the three machines and the events that they tell each other. A
 * worker tells its generation, a generation tells the monitor, and orders go the other way. What
 * would make a circle (a restart, the turn of a reload, the end of a generation) is left to
 * crew_settle, the last act of every function of crew.h that tells what happens. */

enum {
	CREW_GRACE = 1000, /* ms that a worker gets over its own bound before the monitor acts */
	GENERATIONS_LEAST = 2
};

/* What a worker has had of a reload in place. */
enum part { PART_NONE, PART_ASKED, PART_ACCEPTED };

struct worker {
	struct worker_slot slot; /* first: the runtime knows this alone */
	struct generation *generation;
	struct history history;
	enum part part;
	bool back;   /* RELOADING: it was given the old bundle */
	bool served; /* this process was ready once */
	bool told;   /* this process was told to leave, or is killed as one of those that leave */
	int64_t leave_timeout; /* milliseconds it was told */
};

struct rules {
	struct crew_rules told; /* restart's list is not here but in */
	struct final_codes final;
};

struct generation {
	struct generation *next; /* the younger one */
	struct crew *crew;
	struct rules rules;
	int id;
	enum generation_state state;
	bool waits; /* for its turn: nothing is spawned yet */
	int count;
	struct worker workers[];
};

struct crew {
	struct crew_calls calls;
	struct generation *oldest;
	struct generation *current; /* NULL: none serves yet */
	enum monitor_state state;
	int64_t now;
	int last_id;
	unsigned restarts;
	bool waits;          /* a reload was wished and waits for its turn */
	bool badly;          /* a worker that was given up had failed */
	int code;            /* what stopped is told */
	const char *reason;  /* RENEWING: what the old ones are told */
	struct rules before; /* APPLYING: those to go back to */
	struct err refusal;  /* REVERTING: the verdict */
};

enum worker_event {
	WORKER_SPAWN,
	WORKER_IS_READY,
	WORKER_FAILED, /* err */
	WORKER_DIED,   /* status, last */
	WORKER_ASK,    /* reload in place */
	WORKER_BACK,   /* the same with the bundle before */
	WORKER_ACCEPTED,
	WORKER_REFUSED,  /* err */
	WORKER_CONDEMN,  /* text: why */
	WORKER_LEAVE,    /* text: reason; timeout */
	WORKER_KILL,     /* leave, at once */
	WORKER_OVERTIME, /* at is over */
	WORKER_EVENTS
};

enum generation_event {
	GENERATION_BEGIN,
	GENERATION_READY,   /* a worker is */
	GENERATION_FAILED,  /* err: one could not start or had to be killed; its end follows */
	GENERATION_REFUSED, /* err: one refuses the reload */
	GENERATION_ANSWERED,
	GENERATION_DIED,  /* err: how; worker, status */
	GENERATION_LEAVE, /* text: reason; timeout */
	GENERATION_KILL,
	GENERATION_EVENTS
};

enum monitor_event {
	MONITOR_BORN,      /* generation: all its workers are ready */
	MONITOR_STILLBORN, /* generation, err: that will not be */
	MONITOR_GONE,      /* a generation's last worker is */
	MONITOR_SPENT,     /* code: the current generation has lost too much */
	MONITOR_REFUSED,   /* err: a worker of the current generation refuses, or died */
	MONITOR_CHECK,     /* a worker of the current generation has changed its state */
	MONITOR_RELOAD,
	MONITOR_LOAD_FAILED, /* err */
	MONITOR_APPLY,       /* rules */
	MONITOR_RENEW,       /* generation */
	MONITOR_UPGRADE,
	MONITOR_UPGRADE_FAILED,
	MONITOR_STOP, /* code, at_once */
	MONITOR_EVENTS
};

/* What an event tells; most of it is zero. */
struct news {
	const struct err *err;
	const struct crew_rules *rules;
	struct generation *generation;
	struct worker *worker;
	const char *text;
	int64_t timeout;
	int status; /* of waitpid(2), or NO_PROCESS */
	int code;
	bool at_once;
};

void worker_tell(struct worker *worker, enum worker_event event, const struct news *news);
void generation_tell(struct generation *generation, enum generation_event event,
		     const struct news *news);
void monitor_tell(struct crew *crew, enum monitor_event event, const struct news *news);
/* Does what has become possible, until nothing is. */
void crew_settle(struct crew *crew);

/* Of rules' own number of workers, at the end of the list. NULL: out of memory. */
struct generation *generation_create(struct crew *crew, const struct rules *rules, int id);
void generation_rules(struct rules *rules, const struct crew_rules *told);
bool generation_empty(const struct generation *generation); /* it has no process */
/* Of the generations that are not gone, those whose turn has come. */
int crew_live(const struct crew *crew);
/* May workers that died be replaced now? Not while it is open which bundle they would get. */
bool crew_replaces(const struct crew *crew);

/* now + delay, never 0 and never over. */
int64_t crew_at(const struct crew *crew, int64_t delay);
void crew_log(const struct crew *crew, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
