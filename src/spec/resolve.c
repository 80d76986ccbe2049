#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spec/arena.h"
#include "spec/environment.h"
#include "spec/parse.h"
#include "spec/scratch.h"
#include "spec/spec.h"

/* What this machine says to a daemon file: ids, folders, paths. */

enum { NSS_BUFFER_MAX = 1 << 20 };

struct resolve {
	struct spec *spec;
	struct errs *errs;
	bool root;
	const char *runtime; /* $XDG_RUNTIME_DIR, or NULL */
	const char *home;    /* of who runs it, when not root */
};

static struct err *blame(struct resolve *resolve, const char *key)
{
	struct err *err = spec_blame(resolve->spec, key, errs_add(resolve->errs));

	err->exit = EXIT_FAILED;
	return err;
}

/* --- accounts --- */

struct account {
	bool found;
	uid_t uid;
	gid_t gid;
	char *name, *home, *shell; /* in the arena */
};

/* Calls getpwnam_r or getpwuid_r with a buffer that grows. -1: NSS failed, errno says why. */
static int find_user(struct resolve *resolve, const char *name, uid_t uid, struct account *account)
{
	void *arena = resolve->spec->arena;

	for (size_t size = 1024; size <= NSS_BUFFER_MAX; size *= 4) {
		char *buffer = malloc(size);
		struct passwd entry, *found = NULL;
		int code;

		if (!buffer)
			return -1;
		code = name ? getpwnam_r(name, &entry, buffer, size, &found)
			    : getpwuid_r(uid, &entry, buffer, size, &found);
		if (found)
			*account = (struct account){true,
						    entry.pw_uid,
						    entry.pw_gid,
						    arena_text(arena, entry.pw_name),
						    arena_text(arena, entry.pw_dir),
						    arena_text(arena, entry.pw_shell)};
		free(buffer);
		if (code != ERANGE) {
			/* Some of NSS say "not found" in these words. */
			errno = code == ENOENT || code == ESRCH ? 0 : code;
			return errno ? -1 : 0;
		}
	}
	errno = ERANGE;
	return -1;
}

/* A user by name or number; an error at key when the name is not known. */
static int read_user(struct resolve *resolve, const char *key, const char *text,
		     struct account *account)
{
	uint32_t id = 0;
	bool number = parse_id(text, &id);

	*account = (struct account){.uid = (uid_t)id, .gid = (gid_t)-1};
	if (find_user(resolve, number ? NULL : text, (uid_t)id, account) < 0)
		return err_sys(blame(resolve, key), "cannot look up user \"%s\"", text);
	if (!account->found && !number)
		return err_set(blame(resolve, key), "expected a user of this machine, got \"%s\"",
			       text);
	return 0;
}

static int read_group(struct resolve *resolve, const char *key, const char *text, gid_t *gid)
{
	uint32_t id;

	if (parse_id(text, &id)) {
		*gid = (gid_t)id;
		return 0;
	}
	for (size_t size = 1024; size <= NSS_BUFFER_MAX; size *= 4) {
		char *buffer = malloc(size);
		struct group entry, *found = NULL;
		int code = buffer ? getgrnam_r(text, &entry, buffer, size, &found) : ENOMEM;

		if (found)
			*gid = found->gr_gid;
		free(buffer);
		if (found)
			return 0;
		errno = code;
		if (code && code != ERANGE && code != ENOENT && code != ESRCH)
			return err_sys(blame(resolve, key), "cannot look up group \"%s\"", text);
		if (code != ERANGE)
			break;
	}
	return err_set(blame(resolve, key), "expected a group of this machine, got \"%s\"", text);
}

static void resolve_user(struct resolve *resolve)
{
	struct spec *spec = resolve->spec;
	struct account account;
	char self[16];

	snprintf(self, sizeof self, "%u", (unsigned)spec->source.uid);
	if (read_user(resolve, "user", spec->user ? spec->user : self, &account) < 0)
		return;
	spec->uid = account.uid;
	spec->gid = account.gid;
	spec->user_name =
	    account.found ? account.name : arena_format(spec->arena, "%u", (unsigned)account.uid);
	spec->home = account.home ? account.home : arena_text(spec->arena, "/");
	spec->shell =
	    account.shell && *account.shell ? account.shell : arena_text(spec->arena, "/bin/sh");
	spec->drops = spec->uid != spec->source.uid;
	if (!spec->drops && spec->uid == getuid())
		spec->gid = getgid(); /* nothing changes, so this is what stays */
	if (!resolve->root && spec->drops)
		err_set(blame(resolve, "user"), "only root can become another user (\"%s\")",
			spec->user);
}

static void resolve_groups(struct resolve *resolve)
{
	struct spec *spec = resolve->spec;
	gid_t own = spec->gid;
	size_t count = 0;

	if (spec->group && read_group(resolve, "group", spec->group, &spec->gid) == 0 &&
	    !resolve->root && own != (gid_t)-1 && spec->gid != own)
		err_set(blame(resolve, "group"), "only root can change the group");
	if (!spec->group && spec->gid == (gid_t)-1)
		err_set(blame(resolve, "user"),
			"user %u has no entry in the user database: give group, too",
			(unsigned)spec->uid);
	while (spec->groups && spec->groups[count])
		count++;
	if (count && !resolve->root)
		err_set(blame(resolve, "groups"), "only root can set groups");
	spec->gids = arena_alloc(spec->arena, (count + 1) * sizeof *spec->gids);
	for (size_t i = 0; i < count; i++) {
		char key[32];

		snprintf(key, sizeof key, "groups.%zu", i + 1);
		if (read_group(resolve, key, spec->groups[i], &spec->gids[spec->gid_count]) == 0)
			spec->gid_count++;
	}
}

/* "user", "user:group" of a unix socket. */
static void resolve_owner(struct resolve *resolve, struct listen *listen)
{
	char key[96], *user = arena_text(resolve->spec->arena, listen->owner);
	char *colon = strchr(user, ':');
	struct account account;

	snprintf(key, sizeof key, "listen.%s.owner", listen->name);
	if (colon)
		*colon = 0;
	if (read_user(resolve, key, user, &account) < 0)
		return;
	listen->uid = account.uid;
	if (colon)
		read_group(resolve, key, colon + 1, &listen->gid);
	else
		listen->gid = account.gid;
}

/* --- folders --- */

static void resolve_folders(struct resolve *resolve)
{
	static const struct {
		const char *root, *other;
	} places[DIRECTORIES] = {
	    [DIRECTORY_RUNTIME] = {"/run", NULL},
	    [DIRECTORY_STATE] = {"/var/lib", ".local/state"},
	    [DIRECTORY_CACHE] = {"/var/cache", ".cache"},
	    [DIRECTORY_LOGS] = {"/var/log", ".local/state"},
	};
	struct spec *spec = resolve->spec;

	for (int i = 0; i < DIRECTORIES; i++) {
		void *arena = spec->arena;

		if (resolve->root)
			spec->folders[i].path =
			    arena_format(arena, "%s/%s", places[i].root, spec->name);
		else if (places[i].other)
			spec->folders[i].path =
			    arena_format(arena, "%s/%s/%s%s", resolve->home, places[i].other,
					 spec->name, i == DIRECTORY_LOGS ? "/log" : "");
		else if (resolve->runtime)
			spec->folders[i].path =
			    arena_format(arena, "%s/%s", resolve->runtime, spec->name);
		else if (spec->folders[i].wanted)
			err_set(blame(resolve, "directories.runtime"),
				"XDG_RUNTIME_DIR is not set, and only root has /run");
	}
}

static void resolve_home_folder(struct resolve *resolve)
{
	struct spec *spec = resolve->spec;
	void *arena = spec->arena;

	if (spec->home_folder)
		; /* of --scratch */
	else if (resolve->root)
		spec->home_folder = arena_format(arena, "/run/luvd/%s", spec->name);
	else if (resolve->runtime)
		spec->home_folder = arena_format(arena, "%s/luvd/%s", resolve->runtime, spec->name);
	else
		spec->home_folder =
		    arena_format(arena, "/tmp/luvd-%u/%s", (unsigned)spec->source.uid, spec->name);
	if (spec->control_wanted && !spec->control)
		spec->control = arena_format(arena, "%s/control", spec->home_folder);
}

static void resolve_files(struct resolve *resolve)
{
	struct spec *spec = resolve->spec;

	if (!spec->pidfile_given && resolve->root)
		spec->pidfile = arena_format(spec->arena, "/run/%s.pid", spec->name);
	else if (!spec->pidfile_given && resolve->runtime)
		spec->pidfile =
		    arena_format(spec->arena, "%s/%s.pid", resolve->runtime, spec->name);
	if (spec->log.to != SINK_DEFAULT)
		return;
	if (resolve->root)
		spec->log.path = arena_format(spec->arena, "/var/log/%s.log", spec->name);
	else
		spec->log.path =
		    arena_format(spec->arena, "%s/.local/state/%s.log", resolve->home, spec->name);
}

/* An absolute path from the launcher's environment, or NULL. */
static const char *absolute(const struct resolve *resolve, const char *name)
{
	const char *path = source_getenv(&resolve->spec->source, name);

	return path && path[0] == '/' ? path : NULL;
}

/* host.cpus is kept from start: a reload finds as many as before. */
static void resolve_workers(struct spec *spec)
{
	int cpus = spec->source.cpus;

	if (spec->workers == WORKERS_AUTO)
		spec->workers = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : cpus;
}

int spec_resolve(struct spec *spec, bool background, struct errs *errs)
{
	struct resolve resolve = {.spec = spec, .errs = errs, .root = spec->source.uid == 0};
	size_t first = errs->count + errs->dropped;

	(void)background; /* the log of start is resolved in any case: plan shows it */
	resolve_workers(spec);
	resolve_user(&resolve);
	resolve_groups(&resolve);
	if (!resolve.root && (spec->chroot || spec->chroot_auto))
		err_set(blame(&resolve, "chroot"), "only root can change the root directory");
	for (size_t i = 0; i < spec->listen_count; i++)
		if (spec->listens[i].owner)
			resolve_owner(&resolve, &spec->listens[i]);
	resolve.runtime = resolve.root ? NULL : absolute(&resolve, "XDG_RUNTIME_DIR");
	resolve.home = absolute(&resolve, "HOME");
	if (!resolve.home)
		resolve.home = spec->home ? spec->home : "/";
	if (spec->source.scratch)
		scratch_resolve(spec);
	else
		resolve_folders(&resolve);
	resolve_home_folder(&resolve);
	resolve_files(&resolve);
	environment_make(spec);
	return errs->count + errs->dropped > first ? -1 : 0;
}
