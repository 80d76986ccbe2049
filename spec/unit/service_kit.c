#include "service_kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- specs that are filled by hand --- */

static int destroyed;

static void free_value(struct value *value)
{
	if (value->type == VALUE_STRING)
		free(value->as.string.bytes);
	if (value->type != VALUE_TABLE)
		return;
	for (size_t i = 0; i < value->as.table.count; i++) {
		free_value(&value->as.table.pairs[i].key);
		free_value(&value->as.table.pairs[i].value);
	}
	free(value->as.table.pairs);
}

void __wrap_spec_destroy(struct spec *spec);

/* The linker calls it instead: nothing of these lies in an arena. */
void __wrap_spec_destroy(struct spec *spec)
{
	if (!spec)
		return;
	destroyed++;
	free_value(&spec->root);
	for (size_t i = 0; i < spec->module_count; i++) {
		free(spec->modules[i].name);
		free(spec->modules[i].path);
		free(spec->modules[i].text);
	}
	free(spec->modules);
	free(spec->listens);
	free(spec->files);
	free(spec);
}

static struct value text_value(const char *text)
{
	struct value value = {.type = VALUE_STRING};

	value.as.string.bytes = strdup(text);
	value.as.string.length = strlen(text);
	return value;
}

static struct value table_of(const char *key, struct value inner)
{
	struct value value = {.type = VALUE_TABLE};

	value.as.table.pairs = calloc(1, sizeof *value.as.table.pairs);
	value.as.table.count = 1;
	value.as.table.pairs[0].key = text_value(key);
	value.as.table.pairs[0].value = inner;
	return value;
}

void kit_banner(struct spec *spec, const char *banner)
{
	free_value(&spec->root);
	spec->root = table_of("config", table_of("banner", text_value(banner)));
}

/* --- what the host is told --- */

static void on_started(void *data, const struct err *err)
{
	struct kit *kit = data;

	kit->started++;
	kit->log_at_start = kit->log_length;
	uv_stop(&kit->loop);
	kit->start_ok = !err;
	if (err)
		kit->start_err = *err;
}

static void on_reloaded(void *data, const struct err *err)
{
	struct kit *kit = data;

	kit->reloaded++;
	uv_stop(&kit->loop);
	kit->reload_ok = !err;
	if (err)
		kit->reload_err = *err;
}

static void on_stopped(void *data, int code)
{
	struct kit *kit = data;

	kit->stopped++;
	uv_stop(&kit->loop);
	kit->stop_code = code;
}

static void on_stop(void *data, int code)
{
	struct kit *kit = data;

	kit->stop_asked++;
	kit->asked_code = code;
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, false);
}

static void on_status(void *data, const char *text)
{
	struct kit *kit = data;

	snprintf(kit->status, sizeof kit->status, "%s", text);
}

static void on_log(void *data, enum log_level level, const char *message, size_t length,
		   const struct log_field *fields, size_t count)
{
	static const char *const names[] = {"DEBUG", "INFO", "WARN", "ERROR"};
	struct kit *kit = data;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	fprintf(out, "%s%s %.*s", kit->log ? kit->log : "", names[level], (int)length, message);
	for (size_t i = 0; i < count; i++)
		fprintf(out, " %s=%.*s", fields[i].key, (int)fields[i].length, fields[i].bytes);
	fputc('\n', out);
	fclose(out);
	free(kit->log);
	kit->log = text;
	kit->log_length = size;
	uv_stop(&kit->loop);
}

static void on_level(void *data, enum log_level level)
{
	((struct kit *)data)->level = level;
}

static int64_t held_clock(void *data)
{
	return ((struct kit *)data)->wall;
}

/* --- making one --- */

static struct module *add_module(struct kit *kit, const char *name, const char *path)
{
	struct spec *spec = kit->daemon.spec;
	size_t count = spec->module_count++;

	spec->modules = realloc(spec->modules, spec->module_count * sizeof *spec->modules);
	spec->modules[count] = (struct module){.name = strdup(name), .path = strdup(path)};
	return &spec->modules[count];
}

void kit_module(struct kit *kit, const char *name, const char *path, const char *text)
{
	struct module *module = add_module(kit, name, path);

	module->kind = MODULE_LUA;
	module->text = strdup(text);
	module->length = strlen(text);
}

void kit_c_module(struct kit *kit, const char *name, const char *path)
{
	add_module(kit, name, path)->kind = MODULE_C;
}

struct kit *kit_create(const char *text)
{
	static char flavour[] = "FLAVOUR=vanilla", name[] = "kit", path[] = "/srv/kit/kit.lua",
		    hostname[] = "here";
	static char *environment[] = {flavour, NULL};
	struct kit *kit = calloc(1, sizeof *kit);
	struct spec *spec = calloc(1, sizeof *spec);

	destroyed = 0;
	assert_int_equal(uv_loop_init(&kit->loop), 0);
	spec->name = name;
	spec->service_kind = SERVICE_INLINE;
	spec->timeout_start = spec->timeout_reload = spec->timeout_stop = 10000;
	spec->source.path = path;
	spec->source.hostname = hostname;
	spec->source.cpus = 2;
	spec->source.environment = environment;
	kit->daemon.spec = spec;
	kit->daemon.generation = kit->daemon.worker = 1;
	kit->file_fd = -1;
	kit_module(kit, "", "/srv/kit/kit.lua", text);
	return kit;
}

/* A listening socket on a free port of loopback. */
static int open_port(struct sockaddr_in *at)
{
	socklen_t length = sizeof *at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*at =
	    (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof *at), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &length), 0);
	return fd;
}

void kit_listen_more(struct kit *kit)
{
	static char texts[2][20] = {"tcp://127.0.0.1:0", "tcp://127.1.0.0:0"};
	size_t index = kit->daemon.listener_count++;
	struct listen *listen = &kit->daemon.spec->listens[0];
	struct listener *listener = &kit->listeners[index];
	struct address *address = &kit->addresses[index];
	struct sockaddr_in at;
	int fd = open_port(&at);

	*address = (struct address){.text = texts[index], .kind = ADDRESS_TCP};
	memcpy(&address->socket, &at, sizeof at);
	*listener = (struct listener){.listen = listen, .address = address, .fd = fd};
	snprintf(listener->actual, sizeof listener->actual, "tcp://127.0.0.1:%d",
		 ntohs(at.sin_port));
	listen->address_count++;
	kit->daemon.listeners = kit->listeners;
}

void kit_listen(struct kit *kit)
{
	static char name[] = "web";
	struct spec *spec = kit->daemon.spec;

	spec->listens = calloc(1, sizeof(struct listen));
	spec->listen_count = 1;
	spec->listens[0] = (struct listen){
	    .name = name, .addresses = kit->addresses, .backlog = 64, .write_buffer = 65536};
	kit_listen_more(kit);
}

struct spec *kit_fresh(struct kit *kit, const char *banner)
{
	struct spec *spec = malloc(sizeof *spec);

	*spec = *kit->daemon.spec;
	spec->root = (struct value){0};
	spec->modules = NULL;
	spec->module_count = 0;
	spec->files = NULL;
	spec->file_count = 0;
	kit_banner(spec, banner);
	if (spec->listen_count) {
		spec->listens = malloc(sizeof(struct listen));
		spec->listens[0] = kit->daemon.spec->listens[0];
	}
	return spec;
}

bool kit_load(struct kit *kit)
{
	struct life_calls calls = {.data = kit,
				   .started = on_started,
				   .reloaded = on_reloaded,
				   .stopped = on_stopped,
				   .stop = on_stop,
				   .status = on_status,
				   .log = on_log,
				   .level = on_level,
				   .wall = kit->wall ? held_clock : NULL};

	kit->life = life_create(&kit->loop, &kit->daemon, &calls, &kit->create_err);
	return kit->life != NULL;
}

/* --- driving the loop --- */

struct watch {
	uv_timer_t timer;
	bool late;
};

static void on_late(uv_timer_t *timer)
{
	((struct watch *)timer->data)->late = true;
}

static void watch_begin(struct kit *kit, struct watch *watch)
{
	watch->late = false;
	uv_timer_init(&kit->loop, &watch->timer);
	watch->timer.data = watch;
	uv_timer_start(&watch->timer, on_late, 10000, 0);
}

static void on_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

static void close_handle(struct kit *kit, uv_handle_t *handle)
{
	uv_close(handle, on_closed);
	while (handle->data)
		uv_run(&kit->loop, UV_RUN_NOWAIT);
}

static void watch_end(struct kit *kit, struct watch *watch)
{
	close_handle(kit, (uv_handle_t *)&watch->timer);
}

void kit_wait(struct kit *kit, const int *flag)
{
	struct watch watch;

	watch_begin(kit, &watch);
	while (!*flag && !watch.late)
		uv_run(&kit->loop, UV_RUN_ONCE);
	watch_end(kit, &watch);
	if (watch.late)
		print_error("log:\n%s\n", kit->log ? kit->log : "");
	assert_false(watch.late);
}

bool kit_logged(const struct kit *kit, const char *text)
{
	return kit->log && strstr(kit->log, text);
}

void kit_wait_log(struct kit *kit, const char *text)
{
	struct watch watch;

	watch_begin(kit, &watch);
	while (!kit_logged(kit, text) && !watch.late)
		uv_run(&kit->loop, UV_RUN_ONCE);
	watch_end(kit, &watch);
	if (watch.late)
		print_error("never logged: %s\nlog:\n%s\n", text, kit->log ? kit->log : "");
	assert_false(watch.late);
}

void kit_start(struct kit *kit)
{
	if (!kit_load(kit))
		print_error("%s: %s\n", kit->create_err.key, kit->create_err.what);
	assert_non_null(kit->life);
	life_start(kit->life);
	kit_wait(kit, &kit->started);
}

void kit_stop(struct kit *kit, bool now)
{
	life_stop(kit->life, "stop", kit->daemon.spec->timeout_stop, now);
	kit_wait(kit, &kit->stopped);
}

int kit_connect_to(struct kit *kit, size_t listener)
{
	const struct sockaddr *at = (const struct sockaddr *)&kit->addresses[listener].socket;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, at, sizeof(struct sockaddr_in)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

int kit_connect(struct kit *kit)
{
	return kit_connect_to(kit, 0);
}

struct reader {
	uv_poll_t poll;
	int readable;
	bool broken; /* a reset: libuv polls no more, but what came before it can be read */
};

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct reader *reader = poll->data;

	(void)events;
	reader->broken = status < 0;
	reader->readable = 1;
}

const char *kit_expect(struct kit *kit, int fd, const char *text)
{
	static char bytes[1 << 20];
	struct reader reader = {0};
	size_t length = 0;

	bytes[0] = '\0';
	assert_int_equal(uv_poll_init(&kit->loop, &reader.poll, fd), 0);
	reader.poll.data = &reader;
	uv_poll_start(&reader.poll, UV_READABLE, on_readable);
	while (!text || !strstr(bytes, text)) {
		ssize_t count;

		reader.readable = reader.broken;
		kit_wait(kit, &reader.readable);
		count = read(fd, bytes + length, sizeof bytes - 1 - length);
		if (count == 0 || (count < 0 && errno != EAGAIN))
			break;
		length += count > 0 ? (size_t)count : 0;
		bytes[length] = '\0';
	}
	close_handle(kit, (uv_handle_t *)&reader.poll);
	return bytes;
}

void kit_send(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

void kit_destroy(struct kit *kit)
{
	life_destroy(kit->life);
	for (size_t i = 0; i < kit->daemon.listener_count; i++)
		if (kit->listeners[i].fd >= 0)
			close(kit->listeners[i].fd);
	if (kit->file_fd >= 0)
		close(kit->file_fd);
	assert_int_equal(uv_loop_close(&kit->loop), 0);
	spec_destroy(kit->daemon.spec);
	free(kit->log);
	free(kit);
}

void kit_finish(struct kit *kit)
{
	kit_stop(kit, false);
	kit_destroy(kit);
}

void kit_assert_logs(const char *text, const char *expected)
{
	struct kit *kit = kit_create(text);

	kit_start(kit);
	if (!kit->start_ok)
		print_error("%s\n", kit->start_err.what);
	assert_true(kit->start_ok);
	if (!kit_logged(kit, expected))
		print_error("expected: %s\nlog: %s\n", expected, kit->log ? kit->log : "");
	assert_true(kit_logged(kit, expected));
	kit_finish(kit);
}

void kit_assert_fails(const char *text, const char *expected)
{
	struct kit *kit = kit_create(text);

	kit_start(kit);
	assert_false(kit->start_ok);
	if (!strstr(kit->start_err.what, expected))
		print_error("expected: %s\ngot: %s\n", expected, kit->start_err.what);
	assert_non_null(strstr(kit->start_err.what, expected));
	kit_destroy(kit);
}
