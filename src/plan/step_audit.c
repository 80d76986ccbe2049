#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plan/aim.h"
#include "plan/limit.h"
#include "plan/status.h"
#include "plan/step.h"
#include "sys/sys.h"

/* Reads back what the kernel says and tries what must be impossible. Whatever does not fit ends the
 * start: a daemon that is less confined than its file says must not serve. */

enum { DESCRIPTORS_MAX = 1024 };

struct audit {
	struct daemon *daemon;
	struct aim aim;
	char status[STATUS_BYTES_MAX];
	struct err *err;
};

static void describe(const struct daemon *daemon, FILE *out)
{
	fputs("read back ids, groups, capabilities, limits, umask, signals and descriptors\n"
	      "try to become another user",
	      out);
	if (daemon->spec->chroot || daemon->spec->chroot_auto)
		fputs(" and to leave the root", out);
	fputs(": all of it must fail", out);
}

/* --- what /proc/self/status says --- */

/* A line of the same number count times. */
static int expect_all(const struct audit *audit, const char *field, int count, uint64_t expected)
{
	uint64_t numbers[4];
	int found = status_numbers(audit->status, field, 10, numbers, 4);

	for (int i = 0; i < found && i < count; i++)
		if (numbers[i] != expected)
			return err_set(audit->err, "%s is %" PRIu64 ", expected %" PRIu64, field,
				       numbers[i], expected);
	return found == count ? 0 : err_set(audit->err, "the kernel does not tell %s", field);
}

static int expect(const struct audit *audit, const char *field, int base, uint64_t expected)
{
	uint64_t number;

	if (!status_number(audit->status, field, base, &number))
		return err_set(audit->err, "the kernel does not tell %s", field);
	if (number == expected)
		return 0;
	return err_set(audit->err,
		       base == 8    ? "%s is %" PRIo64 ", expected %" PRIo64
		       : base == 16 ? "%s is %" PRIx64 ", expected %" PRIx64
				    : "%s is %" PRIu64 ", expected %" PRIu64,
		       field, number, expected);
}

static int one_thread(const struct audit *audit)
{
	/* Several of the steps act on the calling thread alone. */
	return expect(audit, "Threads", 10, 1);
}

static int ids(const struct audit *audit)
{
	/* Real, effective, saved, file system. */
	if (expect_all(audit, "Uid", 4, audit->aim.uid) < 0)
		return -1;
	return expect_all(audit, "Gid", 4, audit->aim.gid);
}

static bool is_in(const struct aim *aim, uint64_t group)
{
	for (size_t i = 0; i < aim->gid_count; i++)
		if (aim->gids[i] == group)
			return true;
	return false;
}

static int groups(const struct audit *audit)
{
	uint64_t numbers[SYS_GROUPS_MAX];
	int count = status_numbers(audit->status, "Groups", 10, numbers, SYS_GROUPS_MAX);

	if (count < 0)
		return err_set(audit->err, "the kernel does not tell Groups");
	if (!audit->aim.ids)
		return 0; /* an ordinary user keeps the groups of the caller, who may not leave them
			   */
	if ((size_t)count != audit->aim.gid_count)
		return err_set(audit->err, "%d supplementary groups are left, expected %zu", count,
			       audit->aim.gid_count);
	for (int i = 0; i < count; i++)
		if (!is_in(&audit->aim, numbers[i]))
			return err_set(audit->err, "the supplementary group %" PRIu64 " is left",
				       numbers[i]);
	return 0;
}

static int capabilities(const struct audit *audit)
{
	const struct aim *aim = &audit->aim;

	if (expect(audit, "CapEff", 16, aim->capabilities) < 0 ||
	    expect(audit, "CapBnd", 16, aim->bounding) < 0)
		return -1;
	if (!aim->new_capabilities)
		return 0;
	if (expect(audit, "CapPrm", 16, aim->capabilities) < 0 ||
	    expect(audit, "CapInh", 16, aim->capabilities) < 0)
		return -1;
	return expect(audit, "CapAmb", 16, aim->capabilities);
}

static int no_new_privs(const struct audit *audit)
{
	int dumpable = sys_is_dumpable();

	if (dumpable < 0)
		return err_sys(audit->err, "cannot tell whether core dumps are forbidden");
	if (dumpable)
		return err_set(audit->err, "core dumps and tracing are not forbidden");
	return expect(audit, "NoNewPrivs", 10, 1);
}

static uint64_t signal_bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

static int signals(const struct audit *audit)
{
	const uint64_t blocked = signal_bit(SIGHUP) | signal_bit(SIGINT) | signal_bit(SIGQUIT) |
				 signal_bit(SIGTERM) | signal_bit(SIGUSR1) | signal_bit(SIGUSR2);
	uint64_t ignored;

	if (expect(audit, "SigBlk", 16, blocked) < 0)
		return -1;
	if (!status_number(audit->status, "SigIgn", 16, &ignored))
		return err_set(audit->err, "the kernel does not tell SigIgn");
	ignored &= UINT64_MAX >> 33; /* 1 to 31; those above belong to the C library */
	ignored &= ~(signal_bit(SIGPIPE) | signal_bit(SIGXFSZ));
	return ignored ? err_set(audit->err, "signals are ignored: %" PRIx64, ignored) : 0;
}

static int umask_is_set(const struct audit *audit)
{
	return expect(audit, "Umask", 8, audit->daemon->spec->umask);
}

/* --- what other calls say --- */

static int limits(const struct audit *audit)
{
	const struct spec *spec = audit->daemon->spec;

	for (size_t i = 0; i < spec->limit_count; i++) {
		const struct limit *limit = &spec->limits[i];
		char has[LIMIT_TEXT_MAX], asked[LIMIT_TEXT_MAX];
		struct rlimit now;

		if (limit_is_late(limit))
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

static bool changes_root(const struct spec *spec)
{
	return spec->chroot || spec->chroot_auto;
}

/* In a root of our own, a folder that is open is a way out. */
static int check_descriptor(const struct audit *audit, int fd)
{
	struct stat stat;

	if (!changes_root(audit->daemon->spec))
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
static int descriptors(const struct audit *audit)
{
	int known[DESCRIPTORS_MAX];
	size_t count = daemon_descriptors(audit->daemon, known, DESCRIPTORS_MAX), next = 0;
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

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* getcwd(3) tells of a working directory outside the root, but knows no name for the empty root:
 * there it must be the root itself. */
static int working_directory(const struct audit *audit)
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

static int root(const struct audit *audit)
{
	const struct spec *spec = audit->daemon->spec;
	const struct made *before = &audit->daemon->root;
	struct stat here, above;

	if (!changes_root(spec))
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

static int no_return(const struct audit *audit)
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
static int no_secrets(const struct audit *audit)
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
	if (sys_stat(fd, &stat) == 0 && (stat.st_mode & S_IROTH || stat.st_uid == aim->uid ||
					 stat.st_gid == aim->gid || is_in(aim, stat.st_gid))) {
		sys_close(fd);
		return 0;
	}
	sys_close(fd);
	return err_set(audit->err, "'%s' could be opened", path);
}

static int (*const checks[])(const struct audit *) = {
    one_thread, ids,          groups,     capabilities, no_new_privs,
    signals,    umask_is_set, limits,     descriptors,  working_directory,
    root,       no_return,    no_secrets,
};

static int read_status(struct audit *audit)
{
	ssize_t length =
	    sys_read_from_start(audit->daemon->witness_fd, audit->status, sizeof audit->status - 1);

	if (length <= 0)
		return err_sys(audit->err, "cannot read '/proc/self/status'");
	audit->status[length] = '\0';
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	struct audit audit = {.daemon = daemon, .err = err};

	aim_make(&audit.aim, daemon);
	if (read_status(&audit) < 0)
		return -1;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
		if (checks[i](&audit) < 0)
			return -1;
	return 0;
}

const struct step step_audit = {
    .name = "audit",
    .roles = WORKER,
    .describe = describe,
    .apply = apply,
};
