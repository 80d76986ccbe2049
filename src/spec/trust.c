#include "spec/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TRIES_MAX = 10 }; /* of a file that is replaced while it is read */

static const char *owner_name(uid_t uid, char *text, size_t size)
{
	struct passwd entry, *found = NULL;
	char buffer[4096];

	if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
		snprintf(text, size, "%s", found->pw_name);
	else
		snprintf(text, size, "uid %u", (unsigned)uid);
	return text;
}

static bool trusted_owner(const struct source *source, uid_t uid)
{
	return uid == 0 || uid == source->owner;
}

static int check_node(const struct source *source, const char *path, const struct stat *node,
		      struct err *err)
{
	/* In a sticky folder only owners replace files; the folder's owner could, too. */
	bool sticky = S_ISDIR(node->st_mode) && node->st_mode & S_ISVTX && node->st_uid == 0;
	unsigned others = node->st_mode & (S_IWGRP | S_IWOTH);
	char owner[64];

	if (trusted_owner(source, node->st_uid) && (!others || sticky))
		return 0;
	/* The name service is asked only for what is to be told: a monitor waits for it. */
	owner_name(node->st_uid, owner, sizeof owner);
	if (!trusted_owner(source, node->st_uid))
		return err_set(err,
			       "'%s' belongs to %s, who could change what root runs: "
			       "chown root '%s'",
			       path, owner, path);
	return err_set(err, "'%s' (owner %s, mode %04o) is writable by others: chmod %s '%s'", path,
		       owner, (unsigned)node->st_mode & 07777,
		       others == S_IWGRP   ? "g-w"
		       : others == S_IWOTH ? "o-w"
					   : "go-w",
		       path);
}

/* The folders of path, a real path without links, from the nearest one up to "/". */
static int check_folders(const struct source *source, char *path, struct err *err)
{
	struct stat node;

	while (path[1]) {
		char *slash = strrchr(path, '/');

		slash[slash == path] = 0;
		if (stat(path, &node) < 0)
			return err_sys(err, "cannot look at '%s'", path);
		if (check_node(source, path, &node, err) < 0)
			return -1;
	}
	return 0;
}

/* The path of what was opened: that of its name, links resolved, if it is still that file. */
static int check_owners(const struct source *source, const char *path, const struct stat *opened,
			struct err *err)
{
	char *real = realpath(path, NULL);
	struct stat node;
	int result = -1;

	if (!real)
		return err_sys(err, "cannot resolve '%s'", path);
	if (stat(real, &node) < 0 || node.st_dev != opened->st_dev || node.st_ino != opened->st_ino)
		err_set(err, "'%s' was moved while it was read", path);
	else if (check_node(source, real, opened, err) == 0)
		result = check_folders(source, real, err);
	free(real);
	return result;
}

static int read_all(int fd, const char *path, char **text, size_t *length, struct err *err)
{
	size_t room = *length + 1, used = 0;
	char *bytes = malloc(room + 1);
	ssize_t got;

	if (!bytes)
		return err_sys(err, "cannot read '%s'", path);
	while (used < room) {
		got = read(fd, bytes + used, room - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	if (used == room || got < 0) {
		free(bytes);
		if (used == room)
			return err_set(err, "'%s' grows while it is read", path);
		return err_sys(err, "cannot read '%s'", path);
	}
	bytes[used] = 0;
	*text = bytes;
	*length = used;
	return 0;
}

static void take_stamp(struct stamp *stamp, const struct stat *node)
{
	*stamp = (struct stamp){
	    .device = node->st_dev,
	    .inode = node->st_ino,
	    .size = node->st_size,
	    .modified = node->st_mtim,
	    .changed = node->st_ctim,
	};
}

/* The file that was meant by "shop", or by the folder of that name: "shop.lua", "shop/shop.lua".
 * Returns other, "" when there is none. */
static const char *meant(const char *path, char other[PATH_MAX])
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	snprintf(other, PATH_MAX, "%s.lua", path);
	if (access(other, F_OK) == 0)
		return other;
	snprintf(other, PATH_MAX, "%s/%s.lua", path, name);
	return access(other, F_OK) == 0 ? other : "";
}

/* Not there, or not a file: names the one that was meant. */
static int refuse(struct err *err, const char *path, const char *problem)
{
	char other[PATH_MAX];

	if (!*meant(path, other))
		return err_set(err, "%s", problem);
	return err_set(err, "%s; did you mean '%s'?", problem, other);
}

static int refuse_missing(struct err *err, const char *path)
{
	char problem[PATH_MAX + 64];
	const char *reason = err_reason(errno);

	if (errno != ENOENT)
		return err_sys(err, "cannot open '%s'", path);
	snprintf(problem, sizeof problem, "cannot open '%s': %s", path, reason);
	return refuse(err, path, problem);
}

static int refuse_kind(struct err *err, const char *path, mode_t mode)
{
	char problem[PATH_MAX + 64];

	snprintf(problem, sizeof problem, "'%s' is %s", path,
		 S_ISDIR(mode) ? "a folder" : "not a regular file");
	return refuse(err, path, problem);
}

/* Of what was opened, so that nobody can put another file in its place in between. */
static int check_opened(const struct source *source, const char *path, int fd, struct stat *node,
			struct err *err)
{
	if (fstat(fd, node) < 0)
		return err_sys(err, "cannot look at '%s'", path);
	if (!S_ISREG(node->st_mode))
		return refuse_kind(err, path, node->st_mode);
	return source->uid == 0 ? check_owners(source, path, node, err) : 0;
}

static int read_opened(const struct source *source, const char *path, int fd, char **text,
		       size_t *length, struct stamp *stamp, struct err *err)
{
	struct stat node;

	if (check_opened(source, path, fd, &node, err) < 0)
		return -1;
	take_stamp(stamp, &node);
	if (!text)
		return 0;
	if (node.st_size > TEXT_SIZE_MAX)
		return err_set(err, "'%s' is larger than 1 MiB", path);
	*length = (size_t)node.st_size;
	return read_all(fd, path, text, length, err);
}

static bool is_at(const char *path, int fd)
{
	struct stat opened, there;

	return fstat(fd, &opened) == 0 && stat(path, &there) == 0 &&
	       opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

int trust_read(const struct source *source, const char *path, char **text, size_t *length,
	       struct stamp *stamp, struct err *err)
{
	const struct err before = *err;

	for (int tries = TRIES_MAX;;) {
		/* O_NONBLOCK: a FIFO in its place must not hold us before it can be refused. */
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		int result;
		bool again;

		if (fd < 0)
			return refuse_missing(err, path);
		result = read_opened(source, path, fd, text, length, stamp, err);
		/* Somebody saves it just now: what is there by then counts. */
		again = result < 0 && --tries > 0 && !is_at(path, fd);
		close(fd);
		if (!again)
			return result;
		*err = before;
	}
}

int trust_open_program(const struct source *source, const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat node;

	if (fd < 0) {
		err_sys(err, "cannot open '%s'", path);
		return -1;
	}
	if (check_opened(source, path, fd, &node, err) == 0) {
		if (node.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))
			return fd;
		err_set(err, "'%s' is not executable: chmod +x '%s'", path, path);
	}
	close(fd);
	return -1;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

void trust_clock(struct timespec *now)
{
#ifdef CLOCK_REALTIME_COARSE
	clock_gettime(CLOCK_REALTIME_COARSE, now);
#else
	clock_gettime(CLOCK_REALTIME, now);
#endif
}

bool trust_look(const char *path, struct stamp *stamp)
{
	struct stat node;

	*stamp = (struct stamp){0};
	if (stat(path, &node) < 0)
		return false;
	take_stamp(stamp, &node);
	return true;
}

bool trust_same(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       same_time(&a->modified, &b->modified) && same_time(&a->changed, &b->changed);
}

bool trust_unchanged(const char *path, const struct stamp *stamp)
{
	struct stamp now;

	return trust_look(path, &now) && trust_same(&now, stamp);
}
