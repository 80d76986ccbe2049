#include "host/reload.h"

#include <stdlib.h>
#include <string.h>

#include "host/loader.h"
#include "host/log.h"
#include "host/notify.h"
#include "spec/inherit.h"

/* Who waits for a verdict. */
struct waiters {
	struct control_client *clients[CONTROL_CLIENTS_MAX];
	size_t count;
};

enum state { IDLE, LOADING, APPLYING, CLOSED };

struct reload {
	struct daemon *daemon;
	struct reload_calls calls;
	struct loader *loader;
	enum state state;
	bool again; /* asked for while a round ran */
	struct waiters waiters, next;
	struct change change;
	uint64_t begun; /* uv_hrtime */
	struct reload_verdict last;
};

static void begin(struct reload *reload);

/* --- the verdict --- */

static void answer(struct waiters *waiters, int code, const char *text)
{
	for (size_t i = 0; i < waiters->count; i++)
		control_end(waiters->clients[i], code, text);
	waiters->count = 0;
}

static void log_verdict(const struct reload *reload)
{
	if (!reload->daemon->log)
		return;
	if (reload->last.done)
		log_printf(reload->daemon->log, LEVEL_INFO, "reloaded: %s", reload->last.text);
	else
		log_printf(reload->daemon->log, LEVEL_ERROR, "reload refused: %s",
			   reload->last.text);
}

/* The manager hears READY after a refusal too: the daemon serves on. */
static void finish(struct reload *reload, int code)
{
	bool done = code == EXIT_DONE;

	reload->last.at = time(NULL);
	reload->last.done = done;
	reload->last.took = (int64_t)((uv_hrtime() - reload->begun) / 1000000);
	*(done ? &reload->last.accepted : &reload->last.refused) += 1;
	reload->state = IDLE;
	change_finish(&reload->change);
	reload->change = (struct change){0};
	log_verdict(reload);
	notify_reloaded(reload->daemon);
	answer(&reload->waiters, code, reload->last.text);
	if (!reload->again)
		return;
	reload->again = false;
	reload->waiters = reload->next;
	reload->next.count = 0;
	begin(reload);
}

static void refuse(struct reload *reload, const struct err *err)
{
	err_text(err, reload->last.text, sizeof reload->last.text);
	finish(reload, err->exit ? err->exit : EXIT_FAILED);
}

/* "config.banner, timeouts.stop", cut with "..." when there are too many. */
static void join(char *text, size_t size, const char *before, char *const *keys)
{
	size_t used = (size_t)snprintf(text, size, "%s", before);

	for (size_t i = 0; keys && keys[i]; i++) {
		if (used + strlen(keys[i]) + 8 > size) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", keys[i]);
	}
}

/* --- one round --- */

static bool is_in(char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

/* "needs restart: listen.web, user": a daemon without workers cannot have new ones. */
static void tell_restart(const struct change *change, char *text, size_t size)
{
	char **keys = calloc(change->count + 1, sizeof *keys);
	size_t count = 0;

	for (size_t i = 0; keys && i < change->count; i++)
		if (is_in(change->refused, change->keys[i]) ||
		    is_in(change->renewed, change->keys[i]))
			keys[count++] = change->keys[i];
	join(text, size, "needs restart: ", keys);
	free(keys);
}

/* Why the difference cannot be taken in place; true: it cannot. */
static bool must_restart(const struct reload *reload, struct err *err)
{
	const struct change *change = &reload->change;
	char keys[1024];

	if (change->refused_count || change->renewed_count) {
		tell_restart(change, keys, sizeof keys);
		err_set(err, "%s", keys);
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
	reload->begun = uv_hrtime();
	reload->state = LOADING;
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
	if (reload->change.count)
		join(reload->last.text, sizeof reload->last.text, "", reload->change.keys);
	else
		snprintf(reload->last.text, sizeof reload->last.text, "nothing has changed");
	finish(reload, EXIT_DONE);
}

/* --- from outside --- */

static void enlist(struct waiters *waiters, struct control_client *client)
{
	if (!client)
		return;
	if (waiters->count == CONTROL_CLIENTS_MAX)
		control_end(client, EXIT_FAILED, "too many wait for a reload");
	else
		waiters->clients[waiters->count++] = client;
}

void reload_request(struct reload *reload, struct control_client *client)
{
	if (reload->state == CLOSED) {
		if (client)
			control_end(client, EXIT_FAILED, "the daemon is stopping");
		return;
	}
	if (reload->state != IDLE) {
		enlist(&reload->next, client);
		reload->again = true;
		return;
	}
	enlist(&reload->waiters, client);
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
	answer(&reload->waiters, EXIT_FAILED, "the daemon is stopping");
	answer(&reload->next, EXIT_FAILED, "the daemon is stopping");
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
