#ifndef LUVD_SPEC_SPEC_H
#define LUVD_SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "err.h"
#include "spec/source.h"
#include "spec/value.h"

/* A daemon file as data. spec_load fills what follows from the text alone,
 * spec_resolve what this machine says (marked "resolved"). All strings live as long
 * as the spec. Durations are milliseconds, sizes bytes. */

enum {
	WORKERS_AUTO = -1,
	WORKERS_MAX = 1024,
	SPEC_GENERATIONS_LEAST = 2,
	SPEC_GENERATIONS_MOST = 16
};

enum service_kind { SERVICE_INLINE, SERVICE_MODULE, SERVICE_FILE };

enum address_kind { ADDRESS_TCP, ADDRESS_UDP, ADDRESS_UNIX, ADDRESS_ABSTRACT };

struct address {
	char *text; /* "tcp://0.0.0.0:80": one socket; the host "*" becomes two of these */
	enum address_kind kind;
	struct sockaddr_storage socket;
	socklen_t length;
};

struct listen {
	char *name; /* "web" */
	struct address *addresses;
	size_t address_count;
	int backlog;           /* 511 */
	mode_t mode;           /* of a unix socket's file: 0666 unless given */
	char *owner;           /* "user" or "user:group" of a unix socket's file, or NULL */
	uid_t uid;             /* resolved; -1: as it comes */
	gid_t gid;             /* resolved */
	bool reuseport;        /* a socket for each worker slot, SO_REUSEPORT of socket(7) */
	int max_connections;   /* 0: no limit but descriptors */
	int max_per_peer;      /* 0: no limit */
	int64_t idle_timeout;  /* 0: none */
	size_t write_buffer;   /* high-water mark of conn:write, 256 KiB */
	size_t receive_buffer; /* SO_RCVBUF; 0: the kernel's */
};

struct file {
	char *name;  /* "series" */
	char *path;  /* absolute */
	char mode;   /* 'r', 'a' or 'w' */
	mode_t perm; /* 0640 */
};

enum directory { DIRECTORY_RUNTIME, DIRECTORY_STATE, DIRECTORY_CACHE, DIRECTORY_LOGS, DIRECTORIES };

struct folder {
	bool wanted;
	mode_t mode; /* 0750 */
	char *path;  /* resolved, absolute */
};

enum sink_kind { SINK_STDERR, SINK_STDOUT, SINK_SYSLOG, SINK_JOURNAL, SINK_FILE, SINK_DEFAULT };
enum log_level { LEVEL_DEBUG, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

struct log_spec {
	enum sink_kind to; /* SINK_DEFAULT: stderr in run, log_path in start */
	char *path;        /* SINK_FILE: absolute. resolved for SINK_DEFAULT: the file of start */
	enum log_level level;
	bool json;
	int facility; /* of syslog(3), LOG_DAEMON */
};

enum action {
	ACTION_IGNORE, /* caught, one log line */
	ACTION_RELOAD,
	ACTION_REOPEN,
	ACTION_UPGRADE,
	ACTION_STOP,
	ACTION_STOP_NOW,
	ACTION_SERVICE /* calls service.NAME */
};

struct signal_spec {
	int number;
	enum action action;
	char *function; /* ACTION_SERVICE: NAME of "service.NAME" */
};

struct limit {
	char *name;   /* "nofile" */
	int resource; /* RLIMIT_NOFILE */
	rlim_t value; /* soft and hard; RLIM_INFINITY for "unlimited" */
};

/* When a worker that died is replaced. */
enum restart_policy { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };
/* What happens when one has died more than limit times within window. */
enum restart_over { RESTART_OVER_STOP, RESTART_OVER_GO_ON };
enum { RESTART_LIMIT_MAX = 100 };

struct restart_spec {
	enum restart_policy policy;
	int64_t backoff; /* before the second restart in a window, doubled each time: 100 ms */
	int64_t backoff_limit; /* the longest: 30 s */
	int limit;      /* deaths in window that are borne: 10; 0: any number; RESTART_LIMIT_MAX */
	int64_t window; /* 60 s */
	enum restart_over over;
	int *final_codes; /* exit codes that mean "do not restart" */
	size_t final_code_count;
};

enum module_kind { MODULE_LUA, MODULE_C };

/* A text of the bundle. modules[0] is the daemon file itself (name ""); then come the files that it
 * includes, name "include:PATH" with the absolute path, then modules. value.file counts in these.
 */
struct module {
	char *name; /* as required: "sweeper", "./room.lua" */
	char *path; /* absolute */
	char *text; /* NULL for MODULE_C */
	size_t length;
	enum module_kind kind;
};

struct environment_entry {
	char *name;
	char *value; /* keep: taken from the launcher by spec_resolve, NULL when it has none */
};

struct spec {
	struct value root;    /* the effective table: after --set, before defaults */
	struct source source; /* own copy */

	char *name;
	char *description; /* "" */
	enum service_kind service_kind;
	char *service; /* module name or absolute path; NULL when inline */
	int workers;   /* 0: the classic daemon; N; "auto" is WORKERS_AUTO until spec_resolve */
	struct listen *listens;
	size_t listen_count;
	struct file *files;
	size_t file_count;

	bool pidfile_given;
	char *pidfile; /* resolved; NULL: none */

	char *user, *group; /* NULL: not given */
	char **groups;      /* NULL-terminated or NULL */
	bool drops;         /* resolved: another user than the caller */
	uid_t uid;          /* resolved: what the service runs as */
	gid_t gid;
	gid_t *gids; /* resolved supplementary groups */
	size_t gid_count;
	char *home, *shell, *user_name; /* resolved from the target user's passwd entry */

	char *chroot;     /* absolute, or NULL */
	bool chroot_auto; /* an anonymous empty root; chroot is NULL then */
	char *chdir;      /* "/" */
	mode_t umask;     /* 027 */
	struct folder folders[DIRECTORIES];
	char **environment_keep; /* NULL-terminated */
	char **environment_set;  /* "NAME=value", NULL-terminated */
	char **environment;      /* resolved: the service's whole environment */

	struct log_spec log;
	struct limit *limits;
	size_t limit_count;
	bool nice_given, oom_given;
	int nice;
	int oom_score;
	int *cpus; /* affinity */
	size_t cpu_count;
	int ioprio_class, ioprio_level; /* class 0: not given; ioprio_set(2) */
	struct signal_spec *signals;    /* only those given */
	size_t signal_count;
	int64_t timeout_start, timeout_reload, timeout_stop, timeout_drain;
	int64_t timeout_watchdog; /* 0: no worker is watched */
	struct restart_spec restart;
	int generations; /* that live at once: 3; a further reload waits */
	bool console;    /* luvd console is allowed */
	bool capabilities_given;
	int *capabilities; /* CAP_* numbers, ascending */
	size_t capability_count;
	char **lua_path; /* absolute folders and patterns; NULL-terminated */
	char **lua_preload;
	size_t lua_memory; /* 0: no cap */
	int64_t lua_slice; /* 0: nobody looks */
	int64_t lua_abort; /* 0: never */

	bool control_wanted;
	char *control;     /* resolved */
	char *home_folder; /* resolved: /run/luvd/NAME, where lock, record and control are */

	struct module *modules;
	size_t module_count;
	void *arena; /* of load.c: owns every string above but root's and the modules' */
};

void spec_destroy(struct spec *spec); /* accepts NULL */

/* Reads and checks the daemon file that source names: a closed Lua state, bounded (2 s CPU,
 * 5 s wall, 64 MiB), validated against spec_fields; modules are found and read. Gives the same
 * answer on any machine. Returns 0, or -1 with all errors in errs, each with EXIT_USAGE,
 * where "echo.lua:7", key "umask". Runs no service code. */
int spec_load(struct spec **spec, const struct source *source, struct errs *errs);

/* A spec of no daemon file: nothing but defaults and this name, for what runs Lua without one.
 * folder: where relative paths start. NULL: out of memory. */
struct spec *spec_bare(const char *name, const char *folder);

/* Asks this machine: ids of user and groups (NSS), owners, folders, pidfile, log, environment,
 * who we are (source.uid). Errors carry line and key, EXIT_FAILED. background: start, not run. */
int spec_resolve(struct spec *spec, bool background, struct errs *errs);

/* Prepares err for a failure of key ("listen.web", "limits.nofile"): fills err->where and
 * err->key, then returns err, so that a step writes
 *   return err_sys(spec_blame(spec, "chroot", err), "cannot enter '%s'", path); */
struct err *spec_blame(const struct spec *spec, const char *key, struct err *err);

/* Where value stands: "echo.lua:7", "base.lua:3", "--set user"; "echo.lua" when no line is known.
 * modules: at least the daemon file and those it includes, in order. */
const char *spec_where(const struct source *source, const struct module *modules, size_t count,
		       const struct value *value, char *where, size_t size);
/* A file's absolute path as messages show it: as the user would type it when it is below the
 * daemon file's folder. */
const char *spec_shown(const struct source *source, const char *path, char *shown, size_t size);

/* What is right but deserves a word: root without user; what a confined classic daemon can no
 * longer do. After spec_load; background: start, not run. */
void spec_warnings(const struct spec *spec, bool background, struct errs *warnings);

const struct listen *spec_listen(const struct spec *spec, const char *name);

/* What differs between two specs, in dotted paths ("config.banner", "listen.web"). */
struct change {
	char **keys; /* NULL-terminated, sorted */
	size_t count;
	char **refused; /* those of keys that may not change in a running daemon; NULL-terminated */
	size_t refused_count;
	char **renewed; /* those that take a new generation of workers; NULL-terminated */
	size_t renewed_count;
	bool
	    code; /* the service's code differs: daemon file's text when inline, else the modules */
};
int spec_diff(const struct spec *before, const struct spec *after, struct change *change);
void change_finish(struct change *change);

/* The whole spec as plain bytes, versioned, and back; decode checks every bound and blames
 * nothing but the bytes ("bundle: ..."). encode's *bytes is freed by the caller. */
int bundle_encode(const struct spec *spec, unsigned char **bytes, size_t *length, struct err *err);
int bundle_decode(struct spec **spec, const unsigned char *bytes, size_t length, struct err *err);
/* The same for a source alone: what a loader process is told on its standard input. */
int source_encode(const struct source *source, unsigned char **bytes, size_t *length,
		  struct err *err);
int source_decode(struct source *source, const unsigned char *bytes, size_t length,
		  struct err *err);

#endif
