#include "host/monitor/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "host/bundle.h"
#include "host/monitor/action.h"
#include "host/monitor/trial.h"
#include "host/notify.h"
#include "host/verdict.h"
#include "spec/trust.h"
#include "sys/sys.h"

enum phase {
	PHASE_IDLE,
	PHASE_WAITING,  /* for the end of a reload */
	PHASE_TRIAL,    /* the new binary reads the state */
	PHASE_RENEWING, /* it is us now: our workers start */
	PHASE_RETREAT,  /* they could not: we wait for our turn to give the daemon back */
	PHASE_BACK,     /* the binary before reads the state */
	PHASE_CLOSED
};

struct upgrade {
	enum phase phase;
	int program_fd; /* of the other binary: the new one, or in that the one before */
	int64_t begun;
	struct trial *trial;
	struct waiters waiters;
	struct err failure; /* why we give the daemon back */
};

/* --- the verdict --- */

static void close_program(struct upgrade *upgrade)
{
	sys_close(upgrade->program_fd);
	upgrade->program_fd = -1;
}

/* The manager hears READY after a refusal too: the daemon serves on. */
static void finish(struct monitor *monitor, int code, const char *text)
{
	struct upgrade *upgrade = monitor->upgrade;

	upgrade->phase = PHASE_IDLE;
	close_program(upgrade);
	notify_reloaded(monitor->daemon);
	waiters_answer(&upgrade->waiters, code, text);
}

static void refuse(struct monitor *monitor, const struct err *err)
{
	char text[ERR_TEXT_MAX];

	err_text(err, text, sizeof text);
	log_printf(monitor->log, LEVEL_ERROR, "upgrade refused: %s", text);
	finish(monitor, EXIT_FAILED, text);
}

static void succeed(struct monitor *monitor)
{
	struct crew_status status;
	char text[160];

	crew_status(monitor->crew, &status);
	snprintf(text, sizeof text, "upgraded to luvd %s in %lld ms, generation %d", LUVD_VERSION,
		 (long long)(monitor_now() - monitor->upgrade->begun), status.generation);
	log_printf(monitor->log, LEVEL_INFO, "%s", text);
	finish(monitor, EXIT_DONE, text);
}

bool upgrade_verdict(struct monitor *monitor, const struct err *err)
{
	struct upgrade *upgrade = monitor->upgrade;

	if (upgrade->phase != PHASE_RENEWING)
		return false;
	if (!err) {
		succeed(monitor);
		return true;
	}
	/* Within a call of the crew nothing can be handed over: upgrade_turn does. */
	upgrade->failure = *err;
	upgrade->phase = PHASE_RETREAT;
	return true;
}

static void give_up(struct monitor *monitor, const struct err *err)
{
	crew_upgrade_failed(monitor->crew, monitor_now());
	refuse(monitor, err);
}

/* --- the takeover, in both directions --- */

static void go_back(struct monitor *monitor)
{
	struct upgrade *upgrade = monitor->upgrade;
	char why[ERR_TEXT_MAX];
	struct takeover back = {upgrade->program_fd, why, upgrade->begun};
	struct err err = {0};

	err_text(&upgrade->failure, why, sizeof why);
	takeover_execute(monitor, &back, &err);
	if (upgrade->phase == PHASE_BACK)
		give_up(monitor, &upgrade->failure);
}

static void go_forward(struct monitor *monitor, const char *version)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct takeover forward = {upgrade->program_fd, NULL, upgrade->begun};
	struct err err = {0};

	log_printf(monitor->log, LEVEL_INFO, "luvd %s takes over from " LUVD_VERSION, version);
	takeover_execute(monitor, &forward, &err);
	/* A stop that was heard meanwhile has told everybody already. */
	if (upgrade->phase == PHASE_TRIAL)
		give_up(monitor, &err);
}

static void on_trial(void *data, const char *version, const struct err *failure)
{
	struct monitor *monitor = data;
	struct upgrade *upgrade = monitor->upgrade;

	upgrade->trial = NULL;
	if (failure)
		give_up(monitor, upgrade->phase == PHASE_BACK ? &upgrade->failure : failure);
	else if (upgrade->phase == PHASE_BACK)
		go_back(monitor);
	else
		go_forward(monitor, version);
}

static int try_out(struct monitor *monitor, struct err *err)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct handover handover;

	if (capture_state(monitor, upgrade->begun, &handover, err) < 0)
		return -1;
	upgrade->trial = trial_start(&monitor->loop, upgrade->program_fd, monitor->daemon->null_fd,
				     &handover, on_trial, monitor, err);
	capture_finish(&handover);
	return upgrade->trial ? 0 : -1;
}

static void begin_forward(struct monitor *monitor)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct daemon *daemon = monitor->daemon;
	struct err err = {0};

	upgrade->phase = PHASE_TRIAL;
	notify_reloading(daemon);
	upgrade->program_fd = trust_open_program(&daemon->source, daemon->program, &err);
	if (upgrade->program_fd < 0 || try_out(monitor, &err) < 0)
		give_up(monitor, &err);
}

/* Without the binary before, or when it cannot read our state, we stay: the old workers serve. */
static void begin_back(struct monitor *monitor)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct err err = {0};

	upgrade->phase = PHASE_BACK;
	if (upgrade->program_fd < 0 || try_out(monitor, &err) < 0)
		give_up(monitor, &upgrade->failure);
}

void upgrade_turn(struct monitor *monitor)
{
	const struct upgrade *upgrade = monitor->upgrade;
	bool back = upgrade && upgrade->phase == PHASE_RETREAT;

	if (!upgrade || (upgrade->phase != PHASE_WAITING && !back) ||
	    !crew_upgrade(monitor->crew, monitor_now()))
		return;
	if (back)
		begin_back(monitor);
	else
		begin_forward(monitor);
}

void upgrade_request(struct monitor *monitor, struct control_client *client)
{
	struct upgrade *upgrade = monitor->upgrade;
	const char *why = upgrade->phase == PHASE_CLOSED   ? "the daemon is stopping"
			  : upgrade->phase > PHASE_WAITING ? "an upgrade is under way"
							   : NULL;

	if (why) {
		if (client)
			control_end(client, EXIT_FAILED, why);
		else
			log_printf(monitor->log, LEVEL_WARN, "%s: nothing is done", why);
		return;
	}
	if (upgrade->phase == PHASE_IDLE)
		upgrade->begun = monitor_now();
	upgrade->phase = PHASE_WAITING;
	waiters_add(&upgrade->waiters, client);
}

void monitor_upgrade(struct monitor *monitor)
{
	upgrade_request(monitor, NULL);
}

bool upgrade_has(const struct monitor *monitor, pid_t pid)
{
	return monitor->upgrade && trial_pid(monitor->upgrade->trial) == pid;
}

/* --- after it --- */

void upgrade_adopt(struct monitor *monitor, struct control_client *client)
{
	waiters_add(&monitor->upgrade->waiters, client);
}

/* A new generation of the same daemon file: another process of the same kind would read another
 * file's place, so it gets a descriptor and a spec of its own. */
static int add_generation(struct monitor *monitor, int id, struct err *err)
{
	struct generation *now = generation_find(monitor->generations, monitor->daemon->generation);
	int bundle_fd = now ? sys_dup(now->bundle_fd) : -1;
	struct spec *spec;

	if (bundle_fd < 0)
		return err_sys(err, "cannot keep the bundle");
	spec = bundle_read(bundle_fd, err);
	if (spec && sockets_prepare(monitor->sockets, spec, id, err) == 0) {
		if (generation_add(&monitor->generations, id, spec, bundle_fd))
			return 0;
		sockets_release(monitor->sockets, id);
		err_set(err, "out of memory");
	}
	spec_destroy(spec);
	sys_close(bundle_fd);
	return -1;
}

void upgrade_renew(struct monitor *monitor, int64_t begun, int before_fd)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct err err = {0};
	int id = crew_next_generation(monitor->crew);

	upgrade->begun = begun;
	upgrade->program_fd = before_fd;
	upgrade->phase = PHASE_RENEWING;
	if (add_generation(monitor, id, &err) < 0) {
		upgrade->failure = err;
		begin_back(monitor);
		return;
	}
	/* -1: the verdict was told. */
	if (crew_renew_after_upgrade(monitor->crew, monitor_now()) < 0) {
		sockets_release(monitor->sockets, id);
		generation_remove(&monitor->generations, id, monitor->daemon->spec);
	}
}

void upgrade_back(struct monitor *monitor, int64_t begun, const struct err *why)
{
	monitor->upgrade->begun = begun;
	give_up(monitor, why);
}

/* --- open, close --- */

int upgrade_open(struct monitor *monitor, struct err *err)
{
	monitor->upgrade = calloc(1, sizeof *monitor->upgrade);
	if (!monitor->upgrade)
		return err_set(err, "out of memory");
	monitor->upgrade->program_fd = -1;
	return 0;
}

void upgrade_close(struct monitor *monitor)
{
	struct upgrade *upgrade = monitor->upgrade;

	if (!upgrade || upgrade->phase == PHASE_CLOSED)
		return;
	upgrade->phase = PHASE_CLOSED;
	trial_close(upgrade->trial);
	upgrade->trial = NULL;
	close_program(upgrade);
	waiters_answer(&upgrade->waiters, EXIT_FAILED, "the daemon is stopping");
}

void upgrade_destroy(struct monitor *monitor)
{
	free(monitor->upgrade);
	monitor->upgrade = NULL;
}
