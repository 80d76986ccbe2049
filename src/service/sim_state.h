#ifndef LUVD_SERVICE_SIM_STATE_H
#define LUVD_SERVICE_SIM_STATE_H

#include <uv.h>

#include "plan/daemon.h"
#include "service/clock.h"
#include "service/life.h"
#include "service/list.h"
#include "service/sim.h"

/* What the files of sim share. */

/* A bundle and the one worker that runs it. A reload of changed code makes another. */
struct incarnation {
	struct sim *sim;
	struct link all; /* in the order in which they were made */
	struct daemon daemon;
	struct life *life;
	bool over; /* destroyed once the loop does not run */
};

/* A listening socket lives as long as its simulation, as a monitor's does. */
struct sim_socket {
	struct link all;
	char *key;                    /* "web tcp://127.0.0.1:0" */
	char actual[SIM_ADDRESS_MAX]; /* with a port */
	char stand[24];               /* a stream's address in its world */
	int fd;
};

struct sim {
	struct sim_calls calls;
	uv_loop_t loop;
	uv_async_t anchor; /* the loop looks at its descriptors, whatever else there is */
	struct held_clock clock;
	unsigned rings; /* without a move of the clock */
	bool turning;   /* the loop runs, or the function of a signal */
	char world[48];
	struct source source;
	struct link sockets;
	unsigned ports; /* that were given away */

	struct link incarnations;
	struct incarnation *current, *fresh; /* fresh: it is started by a reload */
	enum sim_phase phase;
	bool failed, refused;
	struct err failure, refusal;
	struct change change; /* of the reload that runs */
	int code;
	enum log_level level;
	char *log;
	size_t log_length, log_room;
};

/* --- sim.c --- */

void sim_stop_now(struct sim *sim);

/* --- sim_life.c --- */

/* Takes spec over. NULL with err. */
struct incarnation *incarnation_create(struct sim *sim, struct spec *spec, int number,
				       struct err *err);
void incarnation_destroy(struct incarnation *self);
/* Loads and resolves; who runs it, and in which root, is left out. NULL with errs. */
struct spec *sim_load(const struct source *source, struct errs *errs);

/* --- sim_socket.c --- */

/* Gives the daemon a listening socket for each address. */
int sim_listen(struct sim *sim, struct daemon *daemon, struct err *err);
/* Whoever connects from now on is refused. */
void sim_unlisten(struct sim *sim);

/* --- sim_log.c --- */

void sim_write(struct sim *sim, enum log_level level, const char *message, size_t length,
	       const struct log_field *fields, size_t count);
void sim_printf(struct sim *sim, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sim_tell(struct sim *sim);

/* --- sim_reload.c --- */

void sim_accept_reload(struct sim *sim, int generation);
void sim_refuse_reload(struct sim *sim, const struct err *err);

#endif
