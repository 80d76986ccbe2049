#include "service/sim_state.h"

#include <string.h>

#include "plan/daemon.h"
#include "plan/open_file.h"
#include "plan/signal.h"
#include "spec/change.h"

/* --- a reload, as the monitor and its worker make it --- */

static void end(struct sim *sim)
{
	change_finish(&sim->change);
	if (sim->phase == SIM_RELOADING)
		sim->phase = SIM_RUNNING;
	sim_tell(sim);
}

void sim_accept_reload(struct sim *sim, int generation)
{
	char text[1700] = "reloaded: ";

	if (generation)
		snprintf(text, sizeof text, "generation %d: ", generation);
	change_tell(text, sizeof text, &sim->change);
	sim->refused = false;
	sim_printf(sim, LEVEL_INFO, "%s", text);
	end(sim);
}

void sim_refuse_reload(struct sim *sim, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	sim->refused = true;
	sim->refusal = *err;
	sim_printf(sim, LEVEL_ERROR, "reload refused: %s", err_text(err, text, sizeof text));
	end(sim);
}

/* A file that a reload cannot be taken in place of is the next incarnation's. */
static int begin_generation(struct sim *sim, struct spec *fresh, struct err *err)
{
	sim->fresh = incarnation_create(sim, fresh, sim->current->daemon.generation + 1, err);
	if (!sim->fresh)
		return -1;
	life_start(sim->fresh->life);
	return 0;
}

static int take(struct sim *sim, struct spec *fresh, struct err *err)
{
	struct incarnation *current = sim->current;

	change_finish(&sim->change);
	if (spec_diff(current->daemon.spec, fresh, &sim->change) < 0)
		err_set(err, "out of memory");
	else if (sim->change.refused_count)
		change_needs_restart(&sim->change, false, err);
	else if (sim->change.code || sim->change.renewed_count)
		return begin_generation(sim, fresh, err);
	else {
		life_reload(current->life, fresh, &sim->change);
		return 0;
	}
	spec_destroy(fresh);
	return -1;
}

static struct spec *load(struct sim *sim, char *const *sets, struct err *err)
{
	struct source source = sim->source;
	struct errs errs = {0};
	struct spec *fresh;

	source.sets = (char **)sets;
	fresh = sim_load(&source, &errs);
	if (!fresh)
		*err = errs.list[0];
	errs_finish(&errs);
	return fresh;
}

void sim_reload(struct sim *sim, char *const *sets)
{
	struct err err = {0};
	struct spec *fresh;

	if (sim->phase != SIM_RUNNING) {
		err_set(&err, sim->phase == SIM_RELOADING ? "a reload is running already"
							  : "the service does not run");
		sim->refused = true;
		sim->refusal = err;
		return;
	}
	sim->phase = SIM_RELOADING;
	fresh = load(sim, sets, &err);
	if (!fresh || take(sim, fresh, &err) < 0)
		sim_refuse_reload(sim, &err);
}

/* --- the other signals --- */

static void reopen(struct sim *sim)
{
	struct daemon *daemon = &sim->current->daemon;

	for (size_t i = 0; i < daemon->spec->file_count; i++) {
		struct err err = {0};
		char text[ERR_TEXT_MAX];

		if (open_file_anew(&daemon->spec->files[i], daemon->file_fds[i], &err) < 0)
			sim_printf(sim, LEVEL_ERROR, "%s", err_text(&err, text, sizeof text));
	}
}

void sim_signal(struct sim *sim, int number)
{
	struct signal_action action;

	if (!sim->current || sim->phase == SIM_STOPPED)
		return;
	action = signal_action(&sim->current->daemon, number, false);
	switch (action.action) {
	case ACTION_RELOAD:
		sim_reload(sim, sim->current->daemon.spec->source.sets);
		break;
	case ACTION_REOPEN:
		reopen(sim);
		break;
	case ACTION_UPGRADE:
		sim_printf(sim, LEVEL_WARN, "a simulated daemon has no binary: nothing is done");
		break;
	case ACTION_STOP:
		sim_stop(sim);
		break;
	case ACTION_STOP_NOW:
		sim_stop_now(sim);
		break;
	case ACTION_SERVICE:
		sim->turning = true; /* its function runs at once */
		life_signal(sim->current->life, action.function, number);
		sim->turning = false;
		break;
	case ACTION_IGNORE:
		break;
	}
}
