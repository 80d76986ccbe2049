#include "service/sim_state.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan/step.h"

/* --- the daemon file --- */

/* Who runs it, and in which root, is nothing that this process could be or should become. */
static void leave_out_identity(struct spec *spec)
{
	spec->user = spec->group = NULL;
	spec->groups = NULL;
	spec->chroot = NULL;
	spec->chroot_auto = false;
	for (size_t i = 0; i < spec->listen_count; i++)
		spec->listens[i].owner = NULL;
}

struct spec *sim_load(const struct source *source, struct errs *errs)
{
	struct spec *spec = NULL;

	if (spec_load(&spec, source, errs) < 0)
		return NULL;
	leave_out_identity(spec);
	if (spec_resolve(spec, false, errs) == 0)
		return spec;
	spec_destroy(spec);
	return NULL;
}

/* --- what its life tells --- */

static void on_started(void *data, const struct err *err)
{
	struct incarnation *self = data, *old = self->sim->current;
	struct sim *sim = self->sim;

	if (self == sim->fresh && err) {
		self->over = true;
		sim->fresh = NULL;
		sim_refuse_reload(sim, err);
	} else if (self == sim->fresh) {
		sim->fresh = NULL;
		sim->current = self;
		sim_accept_reload(sim, self->daemon.generation);
		life_stop(old->life, "reload", old->daemon.spec->timeout_drain, false);
	} else if (err) {
		self->over = true;
		sim->failed = true;
		sim->failure = *err;
		sim->phase = SIM_STOPPED;
	} else {
		sim->phase = SIM_RUNNING;
		sim_printf(sim, LEVEL_INFO, "ready, simulated");
	}
	sim_tell(sim);
}

static void on_reloaded(void *data, const struct err *err)
{
	struct incarnation *self = data;

	if (err)
		sim_refuse_reload(self->sim, err);
	else
		sim_accept_reload(self->sim, 0);
}

static bool all_over(const struct sim *sim)
{
	for (struct link *at = sim->incarnations.next; at != &sim->incarnations; at = at->next)
		if (!LIST_ENTRY(at, struct incarnation, all)->over)
			return false;
	return true;
}

static void on_stopped(void *data, int code)
{
	struct incarnation *self = data;
	struct sim *sim = self->sim;

	self->over = true;
	if (sim->code == 0)
		sim->code = code;
	if (sim->phase != SIM_STOPPING || !all_over(sim))
		return;
	sim->phase = SIM_STOPPED;
	sim_printf(sim, LEVEL_INFO, "stopped");
	sim_tell(sim);
}

static void on_stop_wish(void *data, int code)
{
	struct incarnation *self = data;

	self->sim->code = code;
	sim_stop(self->sim);
}

static void on_status(void *data, const char *text)
{
	(void)data; /* a manager would be told: there is none */
	(void)text;
}

static void on_log(void *data, enum log_level level, const char *message, size_t length,
		   const struct log_field *fields, size_t count)
{
	struct incarnation *self = data;

	sim_write(self->sim, level, message, length, fields, count);
}

static void on_level(void *data, enum log_level level)
{
	((struct incarnation *)data)->sim->level = level;
}

/* --- making one --- */

/* The rows of a start that make what the service is given. */
static int make_things(struct incarnation *self, struct err *err)
{
	static const struct step *const rows[] = {&step_paths, &step_files, NULL};

	for (const struct step *const *row = rows; *row; row++)
		if ((*row)->wanted(&self->daemon) && (*row)->apply(&self->daemon, err) < 0)
			return -1;
	return warmup_read(&self->daemon, err);
}

static int begin(struct incarnation *self, struct err *err)
{
	struct sim *sim = self->sim;
	const struct life_calls calls = {.data = self,
					 .started = on_started,
					 .reloaded = on_reloaded,
					 .stopped = on_stopped,
					 .stop = on_stop_wish,
					 .status = on_status,
					 .log = on_log,
					 .level = on_level,
					 .clock = &sim->clock,
					 .coverage = sim->calls.coverage};

	if (sim_listen(sim, &self->daemon, err) < 0 || make_things(self, err) < 0)
		return -1;
	sim->level = self->daemon.spec->log.level;
	self->life = life_create(&sim->loop, &self->daemon, &calls, err);
	return self->life ? 0 : -1;
}

struct incarnation *incarnation_create(struct sim *sim, struct spec *spec, int number,
				       struct err *err)
{
	struct incarnation *self = calloc(1, sizeof *self);

	if (!self) {
		spec_destroy(spec);
		err_set(err, "out of memory");
		return NULL;
	}
	self->sim = sim;
	list_append(&sim->incarnations, &self->all);
	daemon_init(&self->daemon);
	self->daemon.spec = spec;
	self->daemon.machine.euid = geteuid();
	self->daemon.generation = number;
	self->daemon.worker = 1;
	if (begin(self, err) == 0)
		return self;
	incarnation_destroy(self);
	return NULL;
}

void incarnation_destroy(struct incarnation *self)
{
	life_destroy(self->life);
	daemon_finish(&self->daemon);
	list_remove(&self->all);
	free(self);
}
