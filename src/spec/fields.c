#include "spec/fields.h"

#include <stdlib.h>
#include <string.h>

#include "spec/kinds.h"
#include "spec/nearest.h"
#include "spec/spec.h"

#define SPEC(member) offsetof(struct spec, member)
#define LISTEN(member) offsetof(struct listen, member)
#define FILE_OF(member) offsetof(struct file, member)

#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)

/* The one place that says what a daemon is that does not say it. */
#define DEFAULT_WORKERS "1"

/* clang-format off */
const struct field fields[] = {
	{"name", &kind_name, SPEC(name), "(the file's base name)",
	 .help = "what the daemon is called: its folders, pidfile, log and title"},
	{"description", &kind_text, SPEC(description), "\"\"", .change = CHANGE_IN_PLACE,
	 .help = "one line about the daemon, shown by status"},
	{"service", &kind_service, SPEC(service), .change = CHANGE_GENERATION,
	 .help = "the Lua code that runs in the event loop: start, reload, stop"},
	{"config", &kind_config, 0, .change = CHANGE_IN_PLACE,
	 .help = "plain data for the service: daemon.config"},
	{"workers", &kind_workers, SPEC(workers), DEFAULT_WORKERS, .change = CHANGE_GENERATION,
	 .most = WORKERS_MAX,
	 .help = "processes that serve, under a monitor; \"auto\": one a CPU; 0: the classic daemon"},

	{"listen", &kind_listens, 0, .change = CHANGE_GENERATION,
	 .help = "sockets that are bound while privileges last: daemon.listeners.NAME"},
	{"listen.NAME", &kind_listen, 0, .change = CHANGE_GENERATION,
	 .help = "an address, or a table with address and options"},
	{"listen.NAME.address", &kind_addresses, 0, .change = CHANGE_GENERATION,
	 .help = "tcp://IP:PORT, tcp://*:PORT for both families, udp://IP:PORT, unix:/path or unix:@name"},
	{"listen.NAME.backlog", &kind_count, LISTEN(backlog), "511", .least = 1, .most = 65535,
	 .change = CHANGE_GENERATION,
	 .help = "connections that may wait to be accepted, listen(2)"},
	{"listen.NAME.mode", &kind_octal, LISTEN(mode), "\"0666\"", .change = CHANGE_GENERATION,
	 .help = "permissions of a unix socket's file"},
	{"listen.NAME.owner", &kind_owner, 0, .change = CHANGE_GENERATION,
	 .help = "owner of a unix socket's file"},
	{"listen.NAME.max_connections", &kind_count, LISTEN(max_connections), "0", .most = 1000000,
	 .change = CHANGE_GENERATION,
	 .help = "open connections at a time; 0: as many as there are descriptors"},
	{"listen.NAME.max_per_peer", &kind_count, LISTEN(max_per_peer), "0", .most = 1000000,
	 .change = CHANGE_GENERATION,
	 .help = "open connections from one IPv4 address, IPv6 /64 or local user; 0: any number"},
	{"listen.NAME.idle_timeout", &kind_duration, LISTEN(idle_timeout), "0",
	 .change = CHANGE_GENERATION,
	 .help = "a connection that is silent for so long is closed; 0: never"},
	{"listen.NAME.write_buffer", &kind_size, LISTEN(write_buffer), "\"256KiB\"",
	 .change = CHANGE_GENERATION, .least = 1, .most = GIB,
	 .help = "bytes queued on a connection before conn:write waits"},
	{"listen.NAME.receive_buffer", &kind_size, LISTEN(receive_buffer), "0", .most = GIB,
	 .change = CHANGE_GENERATION,
	 .help = "SO_RCVBUF of socket(7), at most net.core.rmem_max; 0: the kernel's choice"},
	{"listen.NAME.reuseport", &kind_boolean, LISTEN(reuseport), "false",
	 .change = CHANGE_GENERATION,
	 .help = "a socket for each worker, SO_REUSEPORT of socket(7)"},

	{"files", &kind_files, 0, .change = CHANGE_GENERATION,
	 .help = "files opened before privileges go: daemon.files.NAME; USR1 opens them anew"},
	{"files.NAME", &kind_file, 0, .change = CHANGE_GENERATION,
	 .help = "a table with path, mode and perm"},
	{"files.NAME.path", &kind_path, FILE_OF(path), .change = CHANGE_GENERATION,
	 .help = "the file's path"},
	{"files.NAME.mode", &kind_file_mode, FILE_OF(mode), "\"r\"", .change = CHANGE_GENERATION,
	 .help = "read, append or write (emptied first)"},
	{"files.NAME.perm", &kind_octal, FILE_OF(perm), "\"0640\"", .change = CHANGE_GENERATION,
	 .help = "permissions of a file that is made"},

	{"pidfile", &kind_path_or_false, SPEC(pidfile),
	 "(root: /run/NAME.pid; others: $XDG_RUNTIME_DIR/NAME.pid)",
	 .help = "where the process id is written; false: nowhere"},
	{"user", &kind_account, SPEC(user), "(who starts it)", .change = CHANGE_GENERATION,
	 .help = "whom the daemon becomes once nothing needs root any more"},
	{"group", &kind_account, SPEC(group), "(the user's primary group)", .change = CHANGE_GENERATION,
	 .help = "the group that the daemon gets with user"},
	{"groups", &kind_accounts, SPEC(groups), "(none)", .change = CHANGE_GENERATION,
	 .help = "supplementary groups, all others are dropped"},
	{"chroot", &kind_chroot, SPEC(chroot), "(none)", .change = CHANGE_GENERATION,
	 .help = "the folder that becomes the root; \"auto\": an empty unwritable one"},
	{"chdir", &kind_path, SPEC(chdir), "\"/\"", .change = CHANGE_GENERATION,
	 .help = "the working folder, inside the chroot"},
	{"umask", &kind_octal, SPEC(umask), "\"027\"", .change = CHANGE_GENERATION,
	 .help = "permissions taken away from new files"},

	{"directories", &kind_group, 0,
	 .help = "folders made for the daemon's user: daemon.directories.NAME"},
	{"directories.runtime", &kind_folder, SPEC(folders[DIRECTORY_RUNTIME]), "false",
	 .help = "root: /run/NAME; others: $XDG_RUNTIME_DIR/NAME"},
	{"directories.state", &kind_folder, SPEC(folders[DIRECTORY_STATE]), "false",
	 .help = "root: /var/lib/NAME; others: ~/.local/state/NAME"},
	{"directories.cache", &kind_folder, SPEC(folders[DIRECTORY_CACHE]), "false",
	 .help = "root: /var/cache/NAME; others: ~/.cache/NAME"},
	{"directories.logs", &kind_folder, SPEC(folders[DIRECTORY_LOGS]), "false",
	 .help = "root: /var/log/NAME; others: ~/.local/state/NAME/log"},

	{"environment", &kind_group, 0, .change = CHANGE_GENERATION,
	 .help = "the service's environment; all else is cleared"},
	{"environment.keep", &kind_keep, 0, "(none)", .change = CHANGE_GENERATION,
	 .help = "variables of the launcher to pass on"},
	{"environment.set", &kind_variables, 0, "(none)", .change = CHANGE_GENERATION,
	 .help = "variables to set, over all others"},
	{"environment.set.NAME", &kind_variable, 0, .change = CHANGE_GENERATION,
	 .help = "the variable's value"},

	{"log", &kind_log, 0,
	 .help = "where log lines go: a sink, a path, or a table with to, level, format, facility"},
	{"log.to", &kind_sink, 0, "(run: stderr; start: /var/log/NAME.log or ~/.local/state/NAME.log)",
	 .help = "stderr, stdout, syslog, journal or a path"},
	{"log.level", &kind_level, 0, "\"info\"", .change = CHANGE_IN_PLACE,
	 .help = "the least level that is logged"},
	{"log.format", &kind_format, 0, "\"text\"",
	 .help = "lines of text or of JSON"},
	{"log.facility", &kind_facility, 0, "\"daemon\"",
	 .help = "the facility of syslog(3)"},

	{"limits", &kind_limits, 0, .change = CHANGE_GENERATION,
	 .help = "resource limits of setrlimit(2): nofile, core, nproc, memlock, as, ..."},
	{"limits.NAME", &kind_limit, 0, .change = CHANGE_GENERATION,
	 .help = "soft and hard limit; \"unlimited\"; sizes where bytes are counted"},
	{"priority", &kind_group, 0, .change = CHANGE_GENERATION,
	 .help = "how the kernel favours the daemon"},
	{"priority.nice", &kind_nice, SPEC(nice), .least = -20, .most = 19, .change = CHANGE_GENERATION,
	 .help = "nice value, setpriority(2)"},
	{"priority.oom_score", &kind_oom, SPEC(oom_score), .least = -1000, .most = 1000,
	 .change = CHANGE_GENERATION,
	 .help = "how early the kernel ends the daemon when memory is short, proc(5)"},
	{"priority.cpus", &kind_cpus, 0, .change = CHANGE_GENERATION,
	 .help = "CPUs that the daemon may run on, sched_setaffinity(2)"},
	{"priority.ioprio", &kind_ioprio, 0, .change = CHANGE_GENERATION,
	 .help = "I/O class and level, ioprio_set(2)"},
	{"signals", &kind_signals, 0,
	 "(HUP reload, USR1 reopen, USR2 upgrade, TERM stop, QUIT stop-now)",
	 .change = CHANGE_GENERATION,
	 .help = "what a signal does"},
	{"signals.NAME", &kind_action, 0, .change = CHANGE_GENERATION,
	 .help = "reload, reopen, upgrade, stop, stop-now, ignore or service.NAME"},
	{"timeouts", &kind_group, 0,
	 .help = "how long parts of the daemon's life may take"},
	{"timeouts.start", &kind_duration, SPEC(timeout_start), "\"30s\"",
	 .change = CHANGE_IN_PLACE, .least = 1,
	 .help = "from the command to ready"},
	{"timeouts.reload", &kind_duration, SPEC(timeout_reload), "\"30s\"", .change = CHANGE_IN_PLACE,
	 .least = 1,
	 .help = "for service.reload"},
	{"timeouts.stop", &kind_duration, SPEC(timeout_stop), "\"30s\"", .change = CHANGE_IN_PLACE,
	 .help = "for service.stop, drain and exit together"},
	{"timeouts.drain", &kind_duration, SPEC(timeout_drain), "\"60s\"", .change = CHANGE_IN_PLACE,
	 .help = "for connections of an old generation; a classic daemon has none"},
	{"timeouts.watchdog", &kind_duration, SPEC(timeout_watchdog), "\"30s\"",
	 .change = CHANGE_IN_PLACE,
	 .help = "a worker whose event loop is silent for so long is replaced; 0: never"},
	{"restart", &kind_restart, 0, .change = CHANGE_IN_PLACE,
	 .help = "what happens when a worker dies: a policy, or a table"},
	{"restart.policy", &kind_policy, SPEC(restart.policy), "\"always\"",
	 .change = CHANGE_IN_PLACE,
	 .help = "which dead workers are replaced; on-failure: all that did not exit with 0"},
	{"restart.backoff", &kind_duration, SPEC(restart.backoff), "\"100ms\"",
	 .change = CHANGE_IN_PLACE, .least = 1,
	 .help = "the pause before the second restart in a window, doubled each time"},
	{"restart.backoff_limit", &kind_duration, SPEC(restart.backoff_limit), "\"30s\"",
	 .change = CHANGE_IN_PLACE, .least = 1,
	 .help = "the longest pause before a restart"},
	{"restart.limit", &kind_count, SPEC(restart.limit), "10", .change = CHANGE_IN_PLACE,
	 .most = RESTART_LIMIT_MAX,
	 .help = "deaths of one worker within the window that are too many; 0: never too many"},
	{"restart.window", &kind_duration, SPEC(restart.window), "\"60s\"",
	 .change = CHANGE_IN_PLACE, .least = 1,
	 .help = "how long a death counts"},
	{"restart.over", &kind_over, SPEC(restart.over), "\"stop\"", .change = CHANGE_IN_PLACE,
	 .help = "over the limit: the daemon stops, or the others go on without the dead one"},
	{"restart.final_codes", &kind_codes, 0, "(none)", .change = CHANGE_IN_PLACE,
	 .help = "exit codes of a worker that mean: do not replace it"},
	{"generations", &kind_count, SPEC(generations), "3", .change = CHANGE_IN_PLACE,
	 .least = SPEC_GENERATIONS_LEAST, .most = SPEC_GENERATIONS_MOST,
	 .help = "sets of workers at a time, those that drain included; a further reload waits"},
	{"capabilities", &kind_capabilities, 0, "(none with user; root keeps all)",
	 .change = CHANGE_GENERATION,
	 .help = "capabilities(7) kept after the drop"},
	{"isolate", &kind_later, .later = true, .change = CHANGE_GENERATION,
	 .help = "namespaces and mounts"},
	{"sandbox", &kind_later, .later = true, .change = CHANGE_GENERATION,
	 .help = "Landlock and seccomp rules"},
	{"lua", &kind_group, 0,
	 .help = "the Lua state of the service"},
	{"lua.path", &kind_paths, SPEC(lua_path), "(none)", .change = CHANGE_GENERATION,
	 .help = "folders, or patterns with a \"?\", searched for modules after the daemon file's"},
	{"lua.preload", &kind_names, SPEC(lua_preload), "(none)", .change = CHANGE_GENERATION,
	 .help = "modules to bundle that no literal require names"},
	{"lua.memory", &kind_size, SPEC(lua_memory), "0", .most = TIB, .change = CHANGE_GENERATION,
	 .help = "bytes that the Lua heap may take, the last eighth for buffers; 0: no cap"},
	{"lua.slice", &kind_duration, SPEC(lua_slice), "\"1s\"", .change = CHANGE_IN_PLACE,
	 .help = "Lua that blocks the loop for longer has its traceback logged; 0: never"},
	{"lua.abort", &kind_duration, SPEC(lua_abort), "0", .change = CHANGE_IN_PLACE,
	 .help = "Lua that blocks the loop for longer gets an error; 0: never"},
	{"control", &kind_control, SPEC(control), "(root: /run/luvd/NAME/control)",
	 .help = "the control socket; false: none"},
	{"console", &kind_boolean, SPEC(console), "false", .change = CHANGE_IN_PLACE,
	 .help = "luvd console may evaluate Lua in a worker, for root and the daemon's user"},
	{.name = NULL},
};
/* clang-format on */

/* Does a segment of a row's name, such as "NAME", stand for that segment of a path? */
static bool segment_fits(const char *row, size_t row_length, const char *path, size_t length)
{
	if (row_length == 4 && memcmp(row, "NAME", 4) == 0)
		return length > 0;
	return row_length == length && memcmp(row, path, length) == 0;
}

static bool path_fits(const char *row, const char *path)
{
	for (;;) {
		size_t row_length = strcspn(row, "."), length = strcspn(path, ".");

		if (!segment_fits(row, row_length, path, length))
			return false;
		row += row_length;
		path += length;
		if (!*row || !*path)
			return !*row && !*path;
		row++;
		path++;
	}
}

const struct field *field_find(const char *path)
{
	for (const struct field *field = fields; field->name; field++)
		if (path_fits(field->name, path))
			return field;
	return NULL;
}

bool field_is_below(const struct field *field, const char *prefix)
{
	size_t length = strlen(prefix);

	if (length == 0)
		return !strchr(field->name, '.');
	return strncmp(field->name, prefix, length) == 0 && field->name[length] == '.' &&
	       !strchr(field->name + length + 1, '.');
}

const struct field *field_below(const char *prefix, const char *key)
{
	size_t skip = *prefix ? strlen(prefix) + 1 : 0;

	for (const struct field *field = fields; field->name; field++)
		if (field_is_below(field, prefix) && strcmp(field->name + skip, key) == 0)
			return field;
	return NULL;
}

static const char *last_segment(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot ? dot + 1 : path;
}

const char *field_nearest(const char *path)
{
	struct nearest nearest;

	nearest_init(&nearest, path);
	for (const struct field *field = fields; field->name; field++)
		nearest_try(&nearest, field->name);
	if (nearest.best)
		return nearest.best;
	/* The right word in the wrong table: "level" is "log.level". */
	for (const struct field *field = fields; field->name; field++)
		if (strcmp(last_segment(field->name), last_segment(path)) == 0)
			return field->name;
	return NULL;
}

int field_default(const struct field *field, struct value *value)
{
	const char *text = field->fallback;

	*value = (struct value){0};
	if (!text || *text == '(')
		return 0;
	if (*text == '"')
		return value_string(value, text + 1, strlen(text) - 2);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		*value = (struct value){.type = VALUE_BOOLEAN, .as.boolean = *text == 't'};
		return 0;
	}
	*value = (struct value){.type = VALUE_INTEGER, .as.integer = strtoll(text, NULL, 10)};
	return 0;
}
