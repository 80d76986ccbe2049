#include "host/monitor/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/sys.h"

enum { GROUPS_MAX = SYS_GROUPS_MAX };

/* --- one thread --- */

/* What follows "NAME:\t" on the line that begins so; NULL: there is none. */
static const char *line_of(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			return line + length + 1;
	}
	return NULL;
}

/* The next decimal number of the line; false: there is none. */
static bool next_number(const char **at, unsigned long *number)
{
	char *end;

	while (**at == ' ' || **at == '\t')
		(*at)++;
	if (**at < '0' || **at > '9')
		return false;
	*number = strtoul(*at, &end, 10);
	*at = end;
	return true;
}

/* Real, effective, saved and of the file system. */
static int check_ids(const char *text, const char *name, unsigned long wanted, struct err *err)
{
	const char *at = line_of(text, name);
	unsigned long number;

	for (int i = 0; i < 4; i++) {
		if (!at || !next_number(&at, &number))
			return err_set(err, "the kernel does not tell its %s", name);
		if (number != wanted)
			return err_set(err, "%s is %lu, not %lu", name, number, wanted);
	}
	return 0;
}

static size_t count_in(const gid_t *list, size_t count, unsigned long gid)
{
	size_t times = 0;

	for (size_t i = 0; i < count; i++)
		times += list[i] == gid;
	return times;
}

/* The same groups, whatever the order. */
static int check_groups(const char *text, const struct aim *aim, struct err *err)
{
	const char *at = line_of(text, "Groups");
	gid_t have[GROUPS_MAX];
	unsigned long number;
	size_t count = 0;

	if (!at)
		return err_set(err, "the kernel does not tell its Groups");
	while (count < GROUPS_MAX && next_number(&at, &number))
		have[count++] = (gid_t)number;
	for (size_t i = 0; i < count; i++)
		if (!count_in(aim->gids, aim->gid_count, have[i]))
			return err_set(err, "it is in group %lu, which was not asked for",
				       (unsigned long)have[i]);
	for (size_t i = 0; i < aim->gid_count; i++)
		if (!count_in(have, count, aim->gids[i]))
			return err_set(err, "it is not in group %lu", (unsigned long)aim->gids[i]);
	return 0;
}

static int check_mask(const char *text, const char *name, uint64_t wanted, struct err *err)
{
	const char *at = line_of(text, name);
	uint64_t mask;
	char *end;

	if (!at)
		return err_set(err, "the kernel does not tell its %s", name);
	mask = strtoull(at, &end, 16);
	if (end == at || (*end && *end != '\n'))
		return err_set(err, "the kernel does not tell its %s", name);
	if (mask != wanted)
		return err_set(err, "%s is %016" PRIx64 ", not %016" PRIx64, name, mask, wanted);
	return 0;
}

static int check_capabilities(const char *text, const struct aim *aim, struct err *err)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapAmb"};

	for (size_t i = 0; aim->new_capabilities && i < sizeof sets / sizeof *sets; i++)
		if (check_mask(text, sets[i], aim->capabilities, err) < 0)
			return -1;
	return aim->new_bounding ? check_mask(text, "CapBnd", aim->bounding, err) : 0;
}

static int check_no_new_privs(const char *text, struct err *err)
{
	const char *at = line_of(text, "NoNewPrivs");
	unsigned long number = 0;

	if (!at || !next_number(&at, &number) || number != 1)
		return err_set(err, "NoNewPrivs is not set");
	return 0;
}

int inspect_status(const char *text, const struct aim *aim, struct err *err)
{
	if (check_ids(text, "Uid", aim->uid, err) < 0 || check_ids(text, "Gid", aim->gid, err) < 0)
		return -1;
	if (aim->ids && check_groups(text, aim, err) < 0)
		return -1;
	if (check_capabilities(text, aim, err) < 0)
		return -1;
	return check_no_new_privs(text, err);
}

/* --- all of them --- */

/* 1: read; 0: the thread has ended meanwhile; -1. A text that is longer than size is cut. */
static int read_status(int tasks, const char *thread, char *text, size_t size)
{
	char path[64];
	size_t used = 0;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof path, "%.20s/status", thread);
	fd = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	while (used + 1 < size && (n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	close(fd);
	text[used] = 0;
	if (n < 0)
		return errno == ESRCH ? 0 : -1;
	return 1;
}

static int check_thread(int tasks, const char *thread, const struct aim *aim, struct err *err)
{
	char text[INSPECT_TEXT_MAX];
	int got = read_status(tasks, thread, text, sizeof text);

	if (got < 0)
		return err_sys(err, "cannot look at it in /proc");
	return got == 0 ? 0 : inspect_status(text, aim, err);
}

static enum inspected check_threads(DIR *folder, const struct aim *aim, struct err *err)
{
	struct dirent *entry;
	int seen = 0;

	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (++seen > INSPECT_THREADS_MAX) {
			err_set(err, "it has more than %d threads", INSPECT_THREADS_MAX);
			return INSPECT_WRONG;
		}
		if (check_thread(dirfd(folder), entry->d_name, aim, err) < 0)
			return INSPECT_WRONG;
	}
	return seen ? INSPECT_RIGHT : INSPECT_HIDDEN;
}

enum inspected inspect_process(pid_t pid, const struct aim *aim, struct err *err)
{
	enum inspected result;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof path, "/proc/%ld/task", (long)pid);
	folder = opendir(path);
	if (!folder && (errno == ENOENT || errno == EACCES || errno == EPERM))
		return INSPECT_HIDDEN;
	if (!folder) {
		err_sys(err, "cannot look at it in /proc");
		return INSPECT_WRONG;
	}
	result = check_threads(folder, aim, err);
	closedir(folder);
	return result;
}
