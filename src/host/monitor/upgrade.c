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
	PHASE_WAITING,  /* for a reload or another generation's start to end */
	PHASE_TRIAL,    /* the new binary reads the state */
	PHASE_RENEWING, /* its workers start */
	PHASE_CLOSED
};

struct upgrade {
	enum phase phase;
	int program_fd;
	int64_t begun;
	struct trial *trial;
	struct waiters waiters;
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

bool upgrade_verdict(struct monitor *monitor, const struct err *err)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct crew_status status;
	char text[160];

	if (upgrade->phase != PHASE_RENEWING)
		return false;
	if (err) {
		refuse(monitor, err);
		return true;
	}
	crew_status(monitor->crew, &status);
	snprintf(text, sizeof text, "upgraded to luvd %s in %lld ms, generation %d", LUVD_VERSION,
		 (long long)(monitor_now() - upgrade->begun), status.generation);
	log_printf(monitor->log, LEVEL_INFO, "%s", text);
	finish(monitor, EXIT_DONE, text);
	return true;
}

/* --- before the takeover --- */

static void give_up(struct monitor *monitor, const struct err *err)
{
	crew_upgrade_failed(monitor->crew, monitor_now());
	refuse(monitor, err);
}

static void on_trial(void *data, const char *version, const struct err *failure)
{
	struct monitor *monitor = data;
	struct upgrade *upgrade = monitor->upgrade;
	struct err err = {0};

	upgrade->trial = NULL;
	if (failure) {
		give_up(monitor, failure);
		return;
	}
	log_printf(monitor->log, LEVEL_INFO, "luvd %s takes over from " LUVD_VERSION, version);
	takeover_execute(monitor, upgrade->program_fd, upgrade->begun, &err);
	/* A stop that was heard meanwhile has told everybody already. */
	if (upgrade->phase == PHASE_TRIAL)
		give_up(monitor, &err);
}

static int try_out(struct monitor *monitor, struct err *err)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct daemon *daemon = monitor->daemon;
	struct handover handover;

	upgrade->program_fd = trust_open_program(&daemon->source, daemon->program, err);
	if (upgrade->program_fd < 0)
		return -1;
	if (capture_state(monitor, upgrade->begun, &handover, err) < 0)
		return -1;
	upgrade->trial = trial_start(&monitor->loop, upgrade->program_fd, daemon->null_fd,
				     &handover, on_trial, monitor, err);
	capture_finish(&handover);
	return upgrade->trial ? 0 : -1;
}

void upgrade_turn(struct monitor *monitor)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct err err = {0};

	if (!upgrade || upgrade->phase != PHASE_WAITING ||
	    !crew_upgrade(monitor->crew, monitor_now()))
		return;
	upgrade->phase = PHASE_TRIAL;
	notify_reloading(monitor->daemon);
	if (try_out(monitor, &err) < 0)
		give_up(monitor, &err);
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

void upgrade_go_on(struct monitor *monitor, int64_t begun, const struct err *failure)
{
	struct upgrade *upgrade = monitor->upgrade;
	struct err err = {0};
	int id = crew_next_generation(monitor->crew);

	upgrade->begun = begun;
	upgrade->phase = PHASE_RENEWING;
	if (failure) {
		give_up(monitor, failure);
		return;
	}
	if (add_generation(monitor, id, &err) < 0) {
		give_up(monitor, &err);
		return;
	}
	/* -1: the verdict was told. */
	if (crew_renew_after_upgrade(monitor->crew, monitor_now()) < 0) {
		sockets_release(monitor->sockets, id);
		generation_remove(&monitor->generations, id, monitor->daemon->spec);
	}
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
