#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "plan/audit_check.h"
#include "plan/limit.h"
#include "sys/sys.h"

enum { DESCRIPTORS_MAX = 1024 };

/* --- what other calls say --- */

int audit_limits(const struct audit *audit)
{
	const struct spec *spec = audit->daemon->spec;

	for (size_t i = 0; i < spec->limit_count; i++) {
		const struct limit *limit = &spec->limits[i];
		char has[LIMIT_TEXT_MAX], asked[LIMIT_TEXT_MAX];
		struct rlimit now;

		if (limit_is_late(limit) && !audit->running)
			continue;
		if (sys_limit_get(limit->resource, &now) < 0)
			return err_sys(audit->err, "cannot read the limit %s", limit->name);
		if (now.rlim_cur != limit->value || now.rlim_max != limit->value)
			return err_set(audit->err, "the limit %s is %s, expected %s", limit->name,
				       limit_text(now.rlim_max, has),
				       limit_text(limit->value, asked));
	}
	return 0;
}

bool audit_changes_root(const struct spec *spec)
{
	return spec->chroot || spec->chroot_auto;
}

/* In a root of our own, a folder that is open is a way out. */
static int check_descriptor(const struct audit *audit, int fd)
{
	struct stat stat;

	if (!audit_changes_root(audit->daemon->spec))
		return 0;
	if (sys_stat(fd, &stat) < 0)
		return err_sys(audit->err, "cannot look at descriptor %d", fd);
	if (S_ISDIR(stat.st_mode))
		return err_set(audit->err, "descriptor %d is a folder: a way out of the root", fd);
	return 0;
}

/* The kernel's table has FDSize places; each open one must be ours. Above the hard limit of the
 * start there is nothing to find: context has closed all, and since then none could be opened
 * there. (What valgrind keeps for itself lies above the limit that it shows.) */
static int all_descriptors(const struct audit *audit, const int *known, size_t count)
{
	size_t next = 0;
	uint64_t size, highest = audit->daemon->machine.hard[RLIMIT_NOFILE];

	if (!status_number(audit->status, "FDSize", 10, &size))
		return err_set(audit->err, "the kernel does not tell FDSize");
	if (size > highest)
		size = highest;
	for (int fd = 0; (uint64_t)fd < size; fd++) {
		while (next < count && known[next] < fd)
			next++;
		if (!sys_is_open(fd))
			continue;
		if (next == count || known[next] != fd)
			return err_set(audit->err, "descriptor %d is open, and nobody knows why",
				       fd);
		if (check_descriptor(audit, fd) < 0)
			return -1;
	}
	return 0;
}

/* The service of a running daemon has descriptors of its own. */
int audit_descriptors(const struct audit *audit)
{
	int known[DESCRIPTORS_MAX];
	size_t count = daemon_descriptors(audit->daemon, known, DESCRIPTORS_MAX);

	if (!audit->running)
		return all_descriptors(audit, known, count);
	for (size_t i = 0; i < count; i++)
		if (sys_is_open(known[i]) && check_descriptor(audit, known[i]) < 0)
			return -1;
	return 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* getcwd(3) tells of a working directory outside the root, but knows no name for the empty root:
 * there it must be the root itself. */
int audit_working_directory(const struct audit *audit)
{
	struct stat here, root;
	char folder[4096];

	if (audit->daemon->spec->chroot_auto) {
		if (sys_stat_at(AT_FDCWD, ".", &here) < 0 || sys_stat_at(AT_FDCWD, "/", &root) < 0)
			return err_sys(audit->err, "cannot look at the working directory");
		if (same(&here, &root))
			return 0;
	} else {
		if (sys_working_directory(folder, sizeof folder) < 0)
			return err_sys(audit->err, "cannot tell the working directory");
		if (folder[0] == '/')
			return 0;
	}
	return err_set(audit->err, "the working directory lies outside the root");
}

int audit_root(const struct audit *audit)
{
	const struct spec *spec = audit->daemon->spec;
	const struct made *before = &audit->daemon->root;
	struct stat here, above;

	if (!audit_changes_root(spec))
		return 0;
	if (sys_stat_at(AT_FDCWD, "/", &here) < 0 || sys_stat_at(AT_FDCWD, "/..", &above) < 0)
		return err_sys(audit->err, "cannot look at the root");
	if (!same(&here, &above))
		return err_set(audit->err, "the way up leads out of the root");
	if (here.st_dev == before->device && here.st_ino == before->inode &&
	    !(spec->chroot && strcmp(spec->chroot, "/") == 0))
		return err_set(audit->err, "the root is still the old one");
	return 0;
}

/* --- what must be impossible --- */

int audit_no_return(const struct audit *audit)
{
	const struct aim *aim = &audit->aim;

	if (aim->uid != 0 && !aim_has(aim->capabilities, CAPABILITY_SETUID) &&
	    sys_regain_uid(0) == 0)
		return err_set(audit->err, "uid 0 could be regained");
	if (aim->gid != 0 && !aim_has(aim->capabilities, CAPABILITY_SETGID) &&
	    sys_regain_gid(0) == 0)
		return err_set(audit->err, "gid 0 could be regained");
	return 0;
}

/* Root's secrets, by the path that leads up from here. Somebody who may read them by the rights
 * that were asked for is no proof of anything. */
int audit_no_secrets(const struct audit *audit)
{
	const struct aim *aim = &audit->aim;
	const char *path = "/../../etc/shadow";
	struct stat stat;
	int fd;

	if (aim->uid == 0 || aim_has(aim->capabilities, CAPABILITY_DAC_OVERRIDE) ||
	    aim_has(aim->capabilities, CAPABILITY_DAC_READ_SEARCH))
		return 0;
	if (!aim->ids)
		return 0;
	fd = sys_try_open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return 0;
	if (sys_stat(fd, &stat) == 0 &&
	    (stat.st_mode & S_IROTH || stat.st_uid == aim->uid || stat.st_gid == aim->gid ||
	     aim_in_group(aim, stat.st_gid))) {
		sys_close(fd);
		return 0;
	}
	sys_close(fd);
	return err_set(audit->err, "'%s' could be opened", path);
}
