#ifndef LUVD_SPEC_CREW_KIT_H
#define LUVD_SPEC_CREW_KIT_H

#include "host/crew/crew.h"

/* A runtime that writes down what the crew wants done, and a clock that goes when told. */

struct kit {
	struct crew *crew;
	struct crew_rules rules; /* 2 workers; start 30 s, reload 5 s, stop 10 s, drain 60 s */
	int64_t now;
	pid_t pid;          /* of the last spawn */
	int refusals;       /* so many spawns from now on have no process */
	char calls[4096];   /* "spawn 1/2; leave 1/1 reload 60000" */
	char verdict[2048]; /* the last one's error */
	char log[16384];    /* a line each, "! " before warnings and errors */
	uint32_t random;
};

int kit_open(void **state); /* for cmocka_unit_test_setup_teardown */
int kit_close(void **state);
struct crew_calls kit_calls(struct kit *kit);

/* What was called since the last time. */
void kit_expect(struct kit *kit, const char *calls);
void kit_forget(struct kit *kit);
void kit_expect_log(const struct kit *kit, const char *text); /* it is somewhere in it */
struct worker_slot *kit_slot(const struct kit *kit, int generation, int number);
enum monitor_state kit_state(const struct kit *kit);

/* The events, at kit->now. */
void kit_start(struct kit *kit);
void kit_ready(struct kit *kit, int generation, int number);
void kit_failed(struct kit *kit, int generation, int number, const char *what);
void kit_died(struct kit *kit, int generation, int number, int status);
void kit_accepted(struct kit *kit, int generation, int number);
void kit_refused(struct kit *kit, int generation, int number, const char *what);
/* Goes on by ms and ticks. */
void kit_later(struct kit *kit, int64_t ms);
/* Started, all workers of generation 1 ready, nothing remembered. */
void kit_run(struct kit *kit);
/* A reload in place, or by a new generation, whose id is returned, with kit->rules. */
void kit_apply(struct kit *kit);
int kit_renew(struct kit *kit);

/* What is said of a worker whose start takes too long. */
#define START_MUST_RETURN                                                                          \
	"start of the service has to return; what goes on belongs in a task of its own, see "      \
	"daemon:spawn"

enum { KILLED = 9, EXITED_0 = 0, EXITED_1 = 1 << 8, EXITED_7 = 7 << 8 };

#endif
