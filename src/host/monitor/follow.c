#include "host/monitor/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/monitor/renew.h"
#include "host/stamps.h"
#include "say.h"
#include "spec/trust.h"

enum {
	FOLDERS_MAX = 64,
	LOOK_MS = 1000, /* between two looks without news */
	QUIET_MS = 50,  /* without another change: whoever saves several files is done */
	BURST_MS = 500  /* but no later than this after the first change */
};

struct place {
	uv_fs_event_t event;
	struct follow *follow;
	char *path;
};

struct follow {
	struct monitor *monitor;
	uv_timer_t timer;
	struct stamps stamps;
	struct place *folders[FOLDERS_MAX];
	size_t count;
	struct timespec since; /* wall clock at the beginning of the last reload */
	int64_t first;         /* moment of the first change of a burst; 0: there is none */
	bool closed;
};

static void on_timer(uv_timer_t *timer);

static struct follow *of(const struct monitor *monitor)
{
	return monitor->follow;
}

static void look_in(struct follow *follow, uint64_t ms)
{
	if (!follow->closed)
		uv_timer_start(&follow->timer, on_timer, ms, 0);
}

/* --- changes --- */

/* A burst of changes becomes one reload: editors write twice, and several files are saved at once.
 */
static void on_timer(uv_timer_t *timer)
{
	struct follow *follow = timer->data;
	int64_t now = monitor_now();
	bool changed = stamps_look(&follow->stamps);

	if (changed && !follow->first)
		follow->first = now;
	if (changed && now - follow->first < BURST_MS) {
		look_in(follow, QUIET_MS);
		return;
	}
	look_in(follow, LOOK_MS);
	if (!follow->first)
		return;
	follow->first = 0;
	renew_request(follow->monitor, NULL);
}

static bool is_followed(const struct place *folder, const char *name)
{
	const struct stamps *stamps = &folder->follow->stamps;

	for (size_t i = 0; i < stamps->count; i++) {
		const char *slash = strrchr(stamps_path(stamps, i), '/');

		if (slash && strcmp(slash + 1, name) == 0)
			return true;
	}
	return false;
}

/* A look that comes soon is not put off: a file that is written all the time is looked at, too. */
static void look_soon(struct follow *follow)
{
	if (uv_timer_get_due_in(&follow->timer) > QUIET_MS)
		look_in(follow, QUIET_MS);
}

/* A log that is written beside the daemon file is none of our business. */
static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
	struct place *folder = event->data;

	(void)events;
	(void)status;
	if (!name || is_followed(folder, name))
		look_soon(folder->follow);
}

/* --- folders --- */

static void on_closed(uv_handle_t *handle)
{
	struct place *folder = handle->data;

	free(folder->path);
	free(folder);
}

static void drop_folder(struct follow *follow, size_t index)
{
	uv_close((uv_handle_t *)&follow->folders[index]->event, on_closed);
	follow->folders[index] = follow->folders[--follow->count];
}

/* One that cannot be watched is looked at every second. */
static void add_folder(struct follow *follow, const char *path, size_t length)
{
	struct place *folder;

	for (size_t i = 0; i < follow->count; i++) {
		folder = follow->folders[i];
		if (strlen(folder->path) == length && memcmp(folder->path, path, length) == 0)
			return;
	}
	folder = follow->count < FOLDERS_MAX ? calloc(1, sizeof *folder) : NULL;
	if (!folder)
		return;
	folder->follow = follow;
	folder->path = strndup(path, length);
	folder->event.data = folder;
	uv_fs_event_init(&follow->monitor->loop, &folder->event);
	follow->folders[follow->count++] = folder;
	if (!folder->path || uv_fs_event_start(&folder->event, on_event, folder->path, 0) < 0)
		drop_folder(follow, follow->count - 1);
}

/* A folder that was removed and made anew is another one: all are watched anew. */
static void watch_folders(struct follow *follow)
{
	while (follow->count)
		drop_folder(follow, 0);
	for (size_t i = 0; i < follow->stamps.count; i++) {
		const char *path = stamps_path(&follow->stamps, i), *slash = strrchr(path, '/');

		if (slash)
			add_folder(follow, path, slash == path ? 1 : (size_t)(slash - path));
	}
}

/* --- files --- */

void follow_begin(struct monitor *monitor)
{
	if (of(monitor))
		trust_clock(&of(monitor)->since);
}

static size_t add_modules(char **paths, size_t count, const struct spec *spec)
{
	for (size_t i = 0; spec && i < spec->module_count && count < STAMPS_MAX; i++)
		paths[count++] = spec->modules[i].path;
	return count;
}

void follow_files(struct monitor *monitor, const struct spec *fresh, char *const *seen)
{
	struct follow *follow = of(monitor);
	char **paths = follow && !follow->closed ? calloc(STAMPS_MAX + 1, sizeof *paths) : NULL;
	size_t count;

	if (!paths)
		return;
	count = add_modules(paths, 0, monitor->daemon->spec);
	(void)add_modules(paths, count, fresh);
	/* Without memory it is the files of the time before. */
	(void)stamps_set(&follow->stamps, paths, seen, &follow->since);
	free(paths);
	watch_folders(follow);
}

/* --- the verdict --- */

static bool is_in_log(const struct daemon *daemon, enum log_level level)
{
	enum sink_kind kind = daemon->sink.kind;

	return (kind == SINK_STDERR || kind == SINK_STDOUT) && level >= daemon->spec->log.level;
}

void follow_tell(struct monitor *monitor)
{
	const struct daemon *daemon = monitor->daemon;
	const struct reload_verdict *verdict = &monitor->reload;
	enum log_level level = verdict->done ? LEVEL_INFO : LEVEL_ERROR;
	struct err err = {0};

	if (!of(monitor) || daemon->terminal_fd < 0 || is_in_log(daemon, level))
		return;
	if (verdict->done) {
		dprintf(daemon->terminal_fd, "%s: %s\n", daemon->spec->name, verdict->text);
		return;
	}
	err_set(&err, "%s: reload refused: %s", daemon->spec->name, verdict->more);
	say(daemon->terminal_fd, daemon->source.environment, SAY_ERROR, &err, NULL);
}

/* --- life --- */

int follow_open(struct monitor *monitor, struct err *err)
{
	struct follow *follow;

	if (!monitor->daemon->watch)
		return 0;
	follow = calloc(1, sizeof *follow);
	if (!follow)
		return err_set(err, "out of memory");
	follow->monitor = monitor;
	uv_timer_init(&monitor->loop, &follow->timer);
	follow->timer.data = follow;
	monitor->follow = follow;
	/* What was changed since the files were read; who takes over has not read them. */
	follow->since = monitor->daemon->read_at;
	if (!follow->since.tv_sec)
		follow_begin(monitor);
	follow_files(monitor, NULL, NULL);
	look_in(follow, LOOK_MS);
	return 0;
}

void follow_close(struct monitor *monitor)
{
	struct follow *follow = of(monitor);

	if (!follow || follow->closed)
		return;
	follow->closed = true;
	while (follow->count)
		drop_folder(follow, 0);
	uv_close((uv_handle_t *)&follow->timer, NULL);
}

void follow_destroy(struct monitor *monitor)
{
	if (!of(monitor))
		return;
	stamps_finish(&of(monitor)->stamps);
	free(of(monitor));
	monitor->follow = NULL;
}
