#ifndef LUVD_SERVICE_SIM_H
#define LUVD_SERVICE_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "spec/spec.h"

/* A daemon simulated in this process: the real life of its service in a Lua state of its own, on a
 * loop of its own, with a clock that moves only when it is told to. Its listeners have a guise
 * (service/guise.h): nothing is bound. It changes nothing of this process and needs no rights. */

struct sim;
struct coverage;

/* Stopped is also what one becomes whose start has failed. */
enum sim_phase { SIM_STARTING, SIM_RUNNING, SIM_RELOADING, SIM_STOPPING, SIM_STOPPED };

struct sim_calls {
	void *data;
	/* A line was logged, an eval was answered, or the phase is another: look. From within
	 * sim_settle, sim_step and the calls below. */
	void (*changed)(void *data);
	struct coverage *coverage; /* as in life.h */
};

/* Reads the daemon file that source names (its scratch must be given), makes what belongs to it
 * below scratch, and begins the start. NULL with errs. */
struct sim *sim_create(const struct source *source, const struct sim_calls *calls,
		       struct errs *errs);
/* Cancels what is left. Not from inside sim_calls. Accepts NULL. */
void sim_destroy(struct sim *sim);

enum sim_phase sim_phase(const struct sim *sim);
/* Why the start has failed; NULL: it has not. */
const struct err *sim_failure(const struct sim *sim);
/* Why the last reload was refused; NULL: it was not. */
const struct err *sim_refusal(const struct sim *sim);
/* What luvd.stop or os.exit has asked for; 0. */
int sim_code(const struct sim *sim);
const char *sim_log(const struct sim *sim, size_t *length);
const struct spec *sim_spec(const struct sim *sim);

/* Tells what the service has open, one call a kind. It may raise. */
void sim_holds(const struct sim *sim, void (*tell)(void *data, const char *what, size_t count),
	       void *data);

/* --- time --- */

/* Milliseconds of its clock, and of the next alarm; 0: there is none. */
uint64_t sim_now(const struct sim *sim);
uint64_t sim_due(const struct sim *sim);
/* Milliseconds since the epoch by its clock. */
int64_t sim_wall(const struct sim *sim);
/* Moves the clock to the next alarm, if that is not after until, and rings it. false: to until. */
bool sim_step(struct sim *sim, uint64_t until);
/* Runs all that can run without another moment: tasks, sockets, requests of the thread pool.
 * Bounded. true: something has run. */
bool sim_settle(struct sim *sim);
/* What runs in it now gets an error: async-signal-safe, from its own thread. */
void sim_interrupt(struct sim *sim, int why);
/* Does it wait for somebody outside: has it connections, lookups or handles of luv of its own? */
bool sim_looks_out(const struct sim *sim);
/* When its loop has something to do: the descriptor is readable, or so many milliseconds of real
 * time are over (-1: none). */
int sim_fd(const struct sim *sim);
int sim_timeout(const struct sim *sim);

/* --- what a test does with it --- */

/* Reads the daemon file again, with these sets. The verdict: the phase is SIM_RUNNING again. */
void sim_reload(struct sim *sim, char *const *sets);
/* As if the signal had come. */
void sim_signal(struct sim *sim, int number);
void sim_stop(struct sim *sim);
/* As life_eval. */
int sim_eval(struct sim *sim, const char *text, void (*done)(void *data, bool ok, const char *text),
	     void *data);

enum { SIM_ADDRESS_MAX = 160 };
struct sim_address {
	char text[SIM_ADDRESS_MAX]; /* of the listener */
	char self[SIM_ADDRESS_MAX]; /* of the client */
	const char *world;          /* service/guise.h */
	bool datagrams;
};
/* Connects to the listener (its first address): a stream that is connected, or a bound socket for
 * datagrams to address->text. -1 with err. */
int sim_connect(struct sim *sim, const char *name, struct sim_address *address, struct err *err);
/* The address of a listener; NULL: it has none of this name. */
const char *sim_address(const struct sim *sim, const char *name);

#endif
