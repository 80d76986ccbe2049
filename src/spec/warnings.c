#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "spec/spec.h"

/* What check says about a daemon file that is right. */

static bool leaves_root(const struct spec *spec)
{
	return spec->user && strcmp(spec->user, "root") != 0 && strcmp(spec->user, "0") != 0;
}

static bool is_jailed(const struct spec *spec)
{
	return spec->chroot || spec->chroot_auto;
}

static bool has_unix_socket(const struct spec *spec)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		for (size_t k = 0; k < spec->listens[i].address_count; k++)
			if (spec->listens[i].addresses[k].kind == ADDRESS_UNIX)
				return true;
	return false;
}

static const char *unreadable(const struct spec *spec)
{
	struct stat node;

	for (size_t i = 0; i < spec->module_count; i++)
		if (stat(spec->modules[i].path, &node) == 0 && !(node.st_mode & S_IROTH))
			return spec->modules[i].path;
	return NULL;
}

static void warn_reload(const struct spec *spec, struct errs *warnings)
{
	if (is_jailed(spec))
		err_set(spec_blame(spec, "chroot", errs_add(warnings)),
			"reload will be refused: the daemon file cannot be read from inside the "
			"chroot");
	else if (unreadable(spec))
		err_set(spec_blame(spec, "user", errs_add(warnings)),
			"reload will be refused unless user \"%s\" may read '%s'", spec->user,
			unreadable(spec));
}

static void warn_reopen(const struct spec *spec, bool background, struct errs *warnings)
{
	bool file = spec->log.to == SINK_FILE || (spec->log.to == SINK_DEFAULT && background);

	if (file && is_jailed(spec))
		err_set(spec_blame(spec, "log", errs_add(warnings)),
			"the log cannot be opened anew from inside the chroot: rotate it with "
			"copytruncate, or log to syslog or the journal");
	else if (file && leaves_root(spec))
		err_set(spec_blame(spec, "log", errs_add(warnings)),
			"user \"%s\" opens the log anew: logrotate has to create it for that user",
			spec->user);
	if (spec->file_count && is_jailed(spec))
		err_set(spec_blame(spec, "files", errs_add(warnings)),
			"files cannot be opened anew from inside the chroot");
}

/* A classic daemon is the process that is confined: these things have nobody else to do them. */
static void warn_confined(const struct spec *spec, bool background, struct errs *warnings)
{
	warn_reload(spec, warnings);
	warn_reopen(spec, background, warnings);
	if (!spec->pidfile_given || spec->pidfile)
		err_set(spec_blame(spec, is_jailed(spec) ? "chroot" : "user", errs_add(warnings)),
			"a daemon stopped by a signal cannot remove its pidfile and record: "
			"`luvd stop` does");
	if (has_unix_socket(spec))
		err_set(
		    spec_blame(spec, "listen", errs_add(warnings)),
		    "a daemon stopped by a signal cannot remove its unix socket; the next start "
		    "replaces it");
}

/* What only a monitor does. */
static void warn_workers(const struct spec *spec, struct errs *warnings)
{
	static const char *const keys[] = {"restart", "generations", "timeouts.watchdog"};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (value_path(&spec->root, keys[i]))
			err_set(spec_blame(spec, keys[i], errs_add(warnings)),
				"says nothing to the classic daemon (workers = 0)");
}

/* The kernel deals connections to its socket, and nobody else takes them. */
static void warn_reuseport(const struct spec *spec, struct errs *warnings)
{
	const struct restart_spec *restart = &spec->restart;
	bool replaced = restart->policy != RESTART_NEVER && restart->final_code_count == 0 &&
			(restart->over == RESTART_OVER_STOP || restart->limit == 0);

	for (size_t i = 0; i < spec->listen_count && !replaced; i++) {
		char key[64];

		if (!spec->listens[i].reuseport || spec->workers < 2)
			continue;
		snprintf(key, sizeof key, "listen.%.40s", spec->listens[i].name);
		err_set(spec_blame(spec, key, errs_add(warnings)),
			"clients of a worker that `restart` gives up would wait for ever: its "
			"socket is no other's (reuseport)");
	}
}

void spec_warnings(const struct spec *spec, bool background, struct errs *warnings)
{
	if (spec->source.uid == 0 && !spec->user)
		err_set(spec_blame(spec, "user", errs_add(warnings)),
			"the service will run as root: give a user, or user = \"root\" if that is "
			"meant");
	if (spec->workers == 0)
		warn_workers(spec, warnings);
	warn_reuseport(spec, warnings);
	if (spec->workers == 0 && (is_jailed(spec) || leaves_root(spec)))
		warn_confined(spec, background, warnings);
}
