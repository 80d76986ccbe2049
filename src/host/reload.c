#include "host/reload.h"

#include <stdlib.h>
#include <string.h>

#include "host/loader.h"
#include "host/log.h"
#include "host/notify.h"
#include "spec/change.h"
#include "spec/inherit.h"

enum state { IDLE, LOADING, APPLYING, CLOSED };

struct reload {
	uv_loop_t *loop;
	struct daemon *daemon;
	struct reload_calls calls;
	struct loader *loader;
	enum state state;
	bool again; /* asked for while a round ran */
	struct waiters waiters, next;
	uint64_t begun; /* moment of the loop */
	struct change change;
	struct reload_verdict last;
};

static void begin(struct reload *reload);

/* --- the verdict --- */

/* The manager hears READY after a refusal too: the daemon serves on. */
static void finish(struct reload *reload, int code)
{
	reload->state = IDLE;
	change_finish(&reload->change);
	reload->change = (struct change){0};
	verdict_log(&reload->last, reload->daemon->log);
	notify_reloaded(reload->daemon);
	waiters_answer(&reload->waiters, code, reload->last.more);
	if (!reload->again)
		return;
	reload->again = false;
	reload->waiters = reload->next;
	reload->next.count = 0;
	begin(reload);
}

static int64_t since(const struct reload *reload)
{
	uv_update_time(reload->loop);
	return (int64_t)(uv_now(reload->loop) - reload->begun);
}

static void refuse(struct reload *reload, const struct err *err)
{
	verdict_refuse(&reload->last, err, since(reload));
	finish(reload, err->exit ? err->exit : EXIT_FAILED);
}

/* --- one round --- */

/* Why the difference cannot be taken in place; true: it cannot. */
static bool must_restart(const struct reload *reload, struct err *err)
{
	const struct change *change = &reload->change;

	if (change->refused_count || change->renewed_count) {
		change_needs_restart(change, true, err);
		return true;
	}
	/* An inline service is where a change of a mere value surprises. */
	if (change->code)
		err_set(err,
			"changed code cannot be reloaded by a classic daemon%s: restart it "
			"(luvd restart %s)",
			reload->daemon->spec->service_kind == SERVICE_INLINE
			    ? ", and this daemon file, which holds its service, is code"
			    : "",
			reload->daemon->source.shown);
	return change->code;
}

static void on_loaded(void *data, struct spec *fresh, const struct err *failure)
{
	struct reload *reload = data;
	struct err err = {0};

	if (failure) {
		refuse(reload, failure);
		return;
	}
	if (spec_inherit(fresh, reload->daemon->spec) < 0 ||
	    spec_diff(reload->daemon->spec, fresh, &reload->change) < 0)
		err_set(&err, "out of memory");
	else if (!must_restart(reload, &err)) {
		reload->state = APPLYING;
		reload->calls.apply(reload->calls.data, fresh, &reload->change);
		return;
	}
	spec_destroy(fresh);
	refuse(reload, &err);
}

static bool confined(const struct reload *reload, struct err *err)
{
	const struct spec *spec = reload->daemon->spec;

	if (!spec->chroot && !spec->chroot_auto)
		return false;
	err_set(err,
		"the daemon file cannot be read from inside the chroot: restart it "
		"(luvd restart %s)",
		reload->daemon->source.shown);
	return true;
}

static void begin(struct reload *reload)
{
	struct err err = {0};

	notify_reloading(reload->daemon);
	reload->state = LOADING;
	reload->begun = uv_now(reload->loop);
	if (confined(reload, &err) || loader_start(reload->loader, &err) < 0)
		refuse(reload, &err);
}

void reload_applied(struct reload *reload, const struct err *err)
{
	if (reload->state != APPLYING)
		return;
	if (err) {
		refuse(reload, err);
		return;
	}
	verdict_accept(&reload->last, &reload->change, 0, since(reload));
	finish(reload, EXIT_DONE);
}

/* --- from outside --- */

void reload_request(struct reload *reload, struct control_client *client)
{
	if (reload->state == CLOSED) {
		if (client)
			control_end(client, EXIT_FAILED, "the daemon is stopping");
		return;
	}
	if (reload->state != IDLE) {
		waiters_add(&reload->next, client);
		reload->again = true;
		return;
	}
	waiters_add(&reload->waiters, client);
	begin(reload);
}

bool reload_busy(const struct reload *reload)
{
	return reload->state == LOADING || reload->state == APPLYING;
}

const struct reload_verdict *reload_last(const struct reload *reload)
{
	return &reload->last;
}

struct reload *reload_create(uv_loop_t *loop, struct daemon *daemon,
			     const struct reload_calls *calls, struct err *err)
{
	struct reload *reload = calloc(1, sizeof *reload);

	if (!reload) {
		err_set(err, "out of memory");
		return NULL;
	}
	reload->loop = loop;
	reload->daemon = daemon;
	reload->calls = *calls;
	reload->loader = loader_create(loop, daemon, on_loaded, reload, err);
	if (reload->loader)
		return reload;
	free(reload);
	return NULL;
}

void reload_close(struct reload *reload)
{
	if (!reload || reload->state == CLOSED)
		return;
	reload->state = CLOSED;
	waiters_answer(&reload->waiters, EXIT_FAILED, "the daemon is stopping");
	waiters_answer(&reload->next, EXIT_FAILED, "the daemon is stopping");
	loader_close(reload->loader);
}

void reload_destroy(struct reload *reload)
{
	if (!reload)
		return;
	change_finish(&reload->change);
	loader_destroy(reload->loader);
	free(reload);
}
