#include "plan/plan.h"

#include <string.h>

#include "sys/sys.h"

void plan_make(struct plan *plan, const struct daemon *daemon, unsigned roles)
{
	plan->count = plan->next = 0;
	for (size_t i = 0; steps[i] && plan->count < PLAN_MAX; i++)
		if ((steps[i]->roles & roles) && (!steps[i]->wanted || steps[i]->wanted(daemon)))
			plan->rows[plan->count++] = steps[i];
}

static bool is_taken(const struct step *step, const struct daemon *daemon)
{
	return daemon->context_taken && (step == &step_stdio || step == &step_context);
}

/* Somebody may stop us while we start: between two steps is the place to give way. */
static int interrupted(const struct daemon *daemon, struct err *err)
{
	pid_t sender = 0;
	int number = sys_signal_pending(&sender);

	/* To a worker only its end is said by a signal; what else comes was meant for its monitor.
	 */
	if (number == 0 || (daemon->monitor && number != SIGTERM))
		return 0;
	return err_set(err, "interrupted by SIG%s from pid %d", sigabbrev_np(number), (int)sender);
}

static int take(struct daemon *daemon, const struct step *step, struct err *err)
{
	if (interrupted(daemon, err) < 0)
		return -1;
	if (daemon->announce && daemon->channel_fd >= 0 && daemon->announce(daemon, step, err) < 0)
		return -1;
	return step->apply(daemon, err);
}

static void name_step(struct err *err, const char *name)
{
	size_t length = strlen(name);

	if (length >= sizeof err->step)
		length = sizeof err->step - 1;
	memcpy(err->step, name, length);
	err->step[length] = '\0';
}

int plan_apply(struct plan *plan, struct daemon *daemon, struct err *err)
{
	while (plan->next < plan->count) {
		const struct step *step = plan->rows[plan->next++];
		int result;

		/* What has no apply is announced and done by host/stage. */
		if (is_taken(step, daemon) || !step->apply)
			continue;
		memset(err, 0, sizeof *err);
		result = take(daemon, step, err);
		name_step(err, step->name);
		if (result != STEP_DONE)
			return result;
	}
	memset(err, 0, sizeof *err);
	return 0;
}

/* One after the row called name; 0 when there is none. */
static size_t after(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->count; i++)
		if (strcmp(plan->rows[i]->name, name) == 0)
			return i + 1;
	return 0;
}

void plan_begun(struct plan *plan, const char *name)
{
	size_t begun = after(plan, name);

	if (begun > plan->next)
		plan->next = begun;
}

void plan_undo(struct plan *plan, struct daemon *daemon)
{
	while (plan->next > 0) {
		const struct step *step = plan->rows[--plan->next];

		if (step->undo)
			step->undo(daemon);
	}
}
