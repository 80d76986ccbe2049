#ifndef LUVD_SERVICE_EMBED_H
#define LUVD_SERVICE_EMBED_H

#include <uv.h>

#include "service/list.h"
#include "service/sim.h"

/* A simulation inside the loop of the script that has made it: whenever this loop turns, that of
 * the simulation does, too. Keeps no loop alive by itself. */

struct vm;
struct task;

struct embed {
	struct vm *vm; /* of the script */
	struct sim *sim;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_idle_t idle; /* while a task waits for a turn */
	uv_check_t check;
	int open;            /* handles that the loop knows */
	struct link turners; /* tasks that wait for the next turn of the script's loop */
	struct link waiters; /* for something to happen in the simulation */
	uint64_t told;       /* how often something has */
	uint64_t resumed;    /* how often a task went on from here */
};

/* Takes the simulation over once it has one. NULL: out of memory, or of descriptors. */
struct embed *embed_create(struct vm *vm);
int embed_begin(struct embed *embed, struct sim *sim);
/* As sim_settle; after every call of sim. */
bool embed_settle(struct embed *embed);
/* As sim_step, and settles. */
bool embed_step(struct embed *embed, uint64_t until);
/* As sim_signal, whose function may be interrupted; does not settle. */
void embed_signal(struct embed *embed, int number);
/* For sim_calls. */
void embed_changed(void *data);
/* The task is woken after the next turn of the script's loop. Then it waits. */
void embed_turn(struct embed *embed, struct task *task);
/* Ends the simulation; the memory goes with the handles. */
void embed_close(struct embed *embed);

#endif
