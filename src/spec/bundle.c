#include <errno.h>
#include <limits.h>
#include <netinet/in.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "spec/codec.h"
#include "spec/spec.h"

/* The spec as plain bytes. The version changes with every change of the functions below: the bytes
 * never outlive a daemon, but an upgraded binary reads what the old one wrote. */

enum {
	BUNDLE_VERSION = 5,
	BUNDLE_SIZE_MAX = 128 << 20,
	CAPABILITY_MOST = 63,
	RESOURCE_MOST = 63,
	EXIT_CODE_MOST = 255
};

static const char bundle_magic[8] = "luvd-bun", source_magic[8] = "luvd-src";

#define CODE_ENUM(codec, place, most)                                                              \
	do {                                                                                       \
		int number_ = (int)(place);                                                        \
		codec_int(codec, &number_, 0, most);                                               \
		(place) = number_;                                                                 \
	} while (0)

/* --- parts --- */

static void code_mode(struct codec *codec, mode_t *mode)
{
	uint32_t number = *mode;

	codec_u32(codec, &number);
	if (number > 07777)
		codec->failed = true;
	*mode = (mode_t)number;
}

static void code_ints(struct codec *codec, int **numbers, size_t *count, int most)
{
	void *array = *numbers;

	codec_array(codec, &array, count, sizeof **numbers, 8);
	*numbers = array;
	for (size_t i = 0; i < *count; i++)
		codec_int(codec, &(*numbers)[i], 0, most);
}

static void code_source(struct codec *codec, struct source *source)
{
	codec_owned_text(codec, &source->path);
	codec_owned_text(codec, &source->shown);
	codec_owned_list(codec, &source->sets);
	codec_owned_list(codec, &source->environment);
	codec_owned_text(codec, &source->hostname);
	codec_int(codec, &source->cpus, 0, INT_MAX);
	codec_u32(codec, &source->uid);
	codec_u32(codec, &source->owner);
	codec_owned_text(codec, &source->scratch);
	if (!source->path || source->path[0] != '/' || !source->shown ||
	    (source->scratch && source->scratch[0] != '/'))
		codec->failed = true;
}

static bool right_length(const struct address *address)
{
	int family = address->socket.ss_family;

	if (address->kind != ADDRESS_TCP && address->kind != ADDRESS_UDP)
		return family == AF_UNIX &&
		       address->length > offsetof(struct sockaddr_un, sun_path) &&
		       address->length <= sizeof(struct sockaddr_un);
	return (family == AF_INET && address->length == sizeof(struct sockaddr_in)) ||
	       (family == AF_INET6 && address->length == sizeof(struct sockaddr_in6));
}

static void code_address(struct codec *codec, struct address *address)
{
	codec_text(codec, &address->text);
	CODE_ENUM(codec, address->kind, ADDRESS_ABSTRACT);
	codec_u32(codec, &address->length);
	if (address->length > sizeof address->socket)
		codec->failed = true;
	if (codec->failed)
		return;
	codec_bytes(codec, &address->socket, address->length);
	if (!address->text || !right_length(address))
		codec->failed = true;
}

static void code_listen(struct codec *codec, struct listen *listen)
{
	void *array = listen->addresses;

	codec_text(codec, &listen->name);
	codec_array(codec, &array, &listen->address_count, sizeof *listen->addresses, 16);
	listen->addresses = array;
	for (size_t i = 0; i < listen->address_count && !codec->failed; i++)
		code_address(codec, &listen->addresses[i]);
	codec_int(codec, &listen->backlog, 0, INT_MAX);
	code_mode(codec, &listen->mode);
	codec_text(codec, &listen->owner);
	codec_u32(codec, &listen->uid);
	codec_u32(codec, &listen->gid);
	codec_bool(codec, &listen->reuseport);
	codec_int(codec, &listen->max_connections, 0, INT_MAX);
	codec_int(codec, &listen->max_per_peer, 0, INT_MAX);
	codec_i64(codec, &listen->idle_timeout, 0);
	codec_size(codec, &listen->write_buffer);
	codec_size(codec, &listen->receive_buffer);
	if (!listen->name)
		codec->failed = true;
}

static void code_listens(struct codec *codec, struct spec *spec)
{
	void *array = spec->listens;

	codec_array(codec, &array, &spec->listen_count, sizeof *spec->listens, 64);
	spec->listens = array;
	for (size_t i = 0; i < spec->listen_count && !codec->failed; i++)
		code_listen(codec, &spec->listens[i]);
}

static void code_files(struct codec *codec, struct spec *spec)
{
	void *array = spec->files;

	codec_array(codec, &array, &spec->file_count, sizeof *spec->files, 13);
	spec->files = array;
	for (size_t i = 0; i < spec->file_count && !codec->failed; i++) {
		struct file *file = &spec->files[i];

		codec_text(codec, &file->name);
		codec_text(codec, &file->path);
		codec_bytes(codec, &file->mode, 1);
		code_mode(codec, &file->perm);
		if (!file->name || !file->path || !file->mode || !strchr("raw", file->mode))
			codec->failed = true;
	}
}

static void code_identity(struct codec *codec, struct spec *spec)
{
	void *array = spec->gids;

	codec_bool(codec, &spec->pidfile_given);
	codec_text(codec, &spec->pidfile);
	codec_text(codec, &spec->user);
	codec_text(codec, &spec->group);
	codec_list(codec, &spec->groups);
	codec_bool(codec, &spec->drops);
	codec_u32(codec, &spec->uid);
	codec_u32(codec, &spec->gid);
	codec_array(codec, &array, &spec->gid_count, sizeof *spec->gids, 4);
	spec->gids = array;
	for (size_t i = 0; i < spec->gid_count; i++)
		codec_u32(codec, &spec->gids[i]);
	codec_text(codec, &spec->home);
	codec_text(codec, &spec->shell);
	codec_text(codec, &spec->user_name);
}

static void code_world(struct codec *codec, struct spec *spec)
{
	codec_text(codec, &spec->chroot);
	codec_bool(codec, &spec->chroot_auto);
	codec_text(codec, &spec->chdir);
	code_mode(codec, &spec->umask);
	for (int i = 0; i < DIRECTORIES; i++) {
		codec_bool(codec, &spec->folders[i].wanted);
		code_mode(codec, &spec->folders[i].mode);
		codec_text(codec, &spec->folders[i].path);
	}
	codec_list(codec, &spec->environment_keep);
	codec_list(codec, &spec->environment_set);
	codec_list(codec, &spec->environment);
	CODE_ENUM(codec, spec->log.to, SINK_DEFAULT);
	codec_text(codec, &spec->log.path);
	CODE_ENUM(codec, spec->log.level, LEVEL_ERROR);
	codec_bool(codec, &spec->log.json);
	codec_int(codec, &spec->log.facility, 0, INT_MAX);
	if (!spec->chdir)
		codec->failed = true;
}

static void code_limits(struct codec *codec, struct spec *spec)
{
	void *array = spec->limits;

	codec_array(codec, &array, &spec->limit_count, sizeof *spec->limits, 20);
	spec->limits = array;
	for (size_t i = 0; i < spec->limit_count && !codec->failed; i++) {
		uint64_t value = spec->limits[i].value;

		codec_text(codec, &spec->limits[i].name);
		codec_int(codec, &spec->limits[i].resource, 0, RESOURCE_MOST);
		codec_u64(codec, &value);
		spec->limits[i].value = (rlim_t)value;
		if (!spec->limits[i].name)
			codec->failed = true;
	}
}

static void code_signals(struct codec *codec, struct spec *spec)
{
	void *array = spec->signals;

	codec_array(codec, &array, &spec->signal_count, sizeof *spec->signals, 20);
	spec->signals = array;
	for (size_t i = 0; i < spec->signal_count && !codec->failed; i++) {
		struct signal_spec *signal = &spec->signals[i];

		codec_int(codec, &signal->number, 1, 31);
		CODE_ENUM(codec, signal->action, ACTION_SERVICE);
		codec_text(codec, &signal->function);
		if ((signal->action == ACTION_SERVICE) != (signal->function != NULL))
			codec->failed = true;
	}
}

static void code_restart(struct codec *codec, struct restart_spec *restart)
{
	CODE_ENUM(codec, restart->policy, RESTART_NEVER);
	codec_i64(codec, &restart->backoff, 1);
	codec_i64(codec, &restart->backoff_limit, 1);
	codec_int(codec, &restart->limit, 0, INT_MAX);
	codec_i64(codec, &restart->window, 1);
	CODE_ENUM(codec, restart->over, RESTART_OVER_GO_ON);
	code_ints(codec, &restart->final_codes, &restart->final_code_count, EXIT_CODE_MOST);
}

static void code_process(struct codec *codec, struct spec *spec)
{
	code_limits(codec, spec);
	codec_bool(codec, &spec->nice_given);
	codec_bool(codec, &spec->oom_given);
	codec_int(codec, &spec->nice, -20, 19);
	codec_int(codec, &spec->oom_score, -1000, 1000);
	code_ints(codec, &spec->cpus, &spec->cpu_count, 1023);
	codec_int(codec, &spec->ioprio_class, 0, 3);
	codec_int(codec, &spec->ioprio_level, 0, 7);
	code_signals(codec, spec);
	codec_i64(codec, &spec->timeout_start, 0);
	codec_i64(codec, &spec->timeout_reload, 0);
	codec_i64(codec, &spec->timeout_stop, 0);
	codec_i64(codec, &spec->timeout_drain, 0);
	codec_i64(codec, &spec->timeout_watchdog, 0);
	code_restart(codec, &spec->restart);
	codec_int(codec, &spec->generations, SPEC_GENERATIONS_LEAST, SPEC_GENERATIONS_MOST);
	codec_bool(codec, &spec->console);
	codec_bool(codec, &spec->capabilities_given);
	code_ints(codec, &spec->capabilities, &spec->capability_count, CAPABILITY_MOST);
	codec_list(codec, &spec->lua_path);
	codec_list(codec, &spec->lua_preload);
	codec_size(codec, &spec->lua_memory);
	codec_i64(codec, &spec->lua_slice, 0);
	codec_i64(codec, &spec->lua_abort, 0);
	codec_bool(codec, &spec->control_wanted);
	codec_text(codec, &spec->control);
	codec_text(codec, &spec->home_folder);
}

static void code_module(struct codec *codec, struct module *module)
{
	codec_owned_text(codec, &module->name);
	codec_owned_text(codec, &module->path);
	CODE_ENUM(codec, module->kind, MODULE_C);
	codec_owned_bytes(codec, &module->text, &module->length);
	if (!module->name || !module->path ||
	    (module->kind == MODULE_LUA) != (module->text != NULL))
		codec->failed = true;
}

static void code_modules(struct codec *codec, struct spec *spec)
{
	void *array = spec->modules;

	codec_owned_array(codec, &array, &spec->module_count, sizeof *spec->modules, 20);
	spec->modules = array;
	for (size_t i = 0; i < spec->module_count && !codec->failed; i++)
		code_module(codec, &spec->modules[i]);
	if (spec->module_count == 0)
		codec->failed = true; /* the daemon file is always there */
}

static void code_spec(struct codec *codec, struct spec *spec)
{
	codec_value(codec, &spec->root);
	code_source(codec, &spec->source);
	codec_text(codec, &spec->name);
	codec_text(codec, &spec->description);
	CODE_ENUM(codec, spec->service_kind, SERVICE_FILE);
	codec_text(codec, &spec->service);
	codec_int(codec, &spec->workers, WORKERS_AUTO, WORKERS_MAX);
	code_listens(codec, spec);
	code_files(codec, spec);
	code_identity(codec, spec);
	code_world(codec, spec);
	code_process(codec, spec);
	code_modules(codec, spec);
	if (!spec->name || (spec->service_kind == SERVICE_INLINE) != (spec->service == NULL))
		codec->failed = true;
}

/* A value of --set names one of the arguments: spec_where looks it up. */
static bool lines_right(const struct value *value, size_t sets, size_t modules)
{
	if (value->file == VALUE_FROM_SET && (value->line < 1 || (size_t)value->line > sets))
		return false;
	if (value->file > 0 && (size_t)value->file >= modules)
		return false;
	for (size_t i = 0; value->type == VALUE_TABLE && i < value->as.table.count; i++)
		if (!lines_right(&value->as.table.pairs[i].key, sets, modules) ||
		    !lines_right(&value->as.table.pairs[i].value, sets, modules))
			return false;
	return true;
}

static bool spec_right(const struct spec *spec)
{
	size_t sets = 0;

	while (spec->source.sets && spec->source.sets[sets])
		sets++;
	return lines_right(&spec->root, sets, spec->module_count);
}

/* --- whole --- */

static void code_head(struct codec *codec, const char magic[8])
{
	char found[8];
	uint32_t version = BUNDLE_VERSION;

	memcpy(found, magic, sizeof found);
	codec_bytes(codec, found, sizeof found);
	codec_u32(codec, &version);
	if (memcmp(found, magic, sizeof found) != 0 || version != BUNDLE_VERSION)
		codec->failed = true;
}

static int open_writer(struct codec *codec, char **bytes, size_t *length, struct err *err)
{
	*codec = (struct codec){.out = open_memstream(bytes, length)};
	return codec->out ? 0 : err_sys(err, "bundle: cannot write");
}

static int close_writer(struct codec *codec, char **bytes, struct err *err)
{
	bool failed = codec->failed || ferror(codec->out);

	if (fclose(codec->out) == 0 && !failed)
		return 0;
	free(*bytes);
	*bytes = NULL;
	errno = ENOMEM;
	return err_sys(err, "bundle: cannot write");
}

int bundle_encode(const struct spec *spec, unsigned char **bytes, size_t *length, struct err *err)
{
	struct codec codec;
	struct spec copy = *spec; /* the codec writes back what it reads */

	if (open_writer(&codec, (char **)bytes, length, err) < 0)
		return -1;
	code_head(&codec, bundle_magic);
	code_spec(&codec, &copy);
	return close_writer(&codec, (char **)bytes, err);
}

int bundle_decode(struct spec **spec, const unsigned char *bytes, size_t length, struct err *err)
{
	struct codec codec = {.reading = true, .in = bytes, .left = length};
	struct spec *fresh = calloc(1, sizeof *fresh);

	*spec = NULL;
	if (!fresh || !(fresh->arena = codec.arena = arena_create())) {
		free(fresh);
		return err_sys(err, "bundle: cannot read");
	}
	codec.failed = length > BUNDLE_SIZE_MAX;
	code_head(&codec, bundle_magic);
	if (!codec.failed)
		code_spec(&codec, fresh);
	if (codec.failed || codec.left || !spec_right(fresh)) {
		spec_destroy(fresh);
		return err_set(err, "bundle: not of this version, cut or damaged");
	}
	*spec = fresh;
	return 0;
}

int source_encode(const struct source *source, unsigned char **bytes, size_t *length,
		  struct err *err)
{
	struct codec codec;
	struct source copy = *source;

	if (open_writer(&codec, (char **)bytes, length, err) < 0)
		return -1;
	code_head(&codec, source_magic);
	code_source(&codec, &copy);
	return close_writer(&codec, (char **)bytes, err);
}

int source_decode(struct source *source, const unsigned char *bytes, size_t length, struct err *err)
{
	struct codec codec = {.reading = true, .in = bytes, .left = length};

	*source = (struct source){0};
	codec.failed = length > BUNDLE_SIZE_MAX;
	code_head(&codec, source_magic);
	if (!codec.failed)
		code_source(&codec, source);
	if (!codec.failed && !codec.left)
		return 0;
	source_finish(source);
	return err_set(err, "bundle: not of this version, cut or damaged");
}
