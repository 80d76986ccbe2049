#include "host/remains.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "plan/step.h"

static void note(struct remains *remains, const char *path, dev_t device, ino_t inode)
{
	size_t i = remains->count;

	if (!path || i == REMAINS_MAX || strlen(path) >= REMAINS_PATH_MAX)
		return;
	snprintf(remains->files[i].path, REMAINS_PATH_MAX, "%s", path);
	remains->files[i].device = device;
	remains->files[i].inode = inode;
	remains->count++;
}

static void note_existing(struct remains *remains, const char *path)
{
	struct stat stat;

	if (path && lstat(path, &stat) == 0)
		note(remains, path, stat.st_dev, stat.st_ino);
}

static void note_sockets(struct remains *remains, const struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct listener *listener = &daemon->listeners[i];
		const struct sockaddr_un *address = (const void *)&listener->address->socket;

		if (listener->address->kind == ADDRESS_UNIX && !listener->inherited)
			note(remains, address->sun_path, listener->device, listener->inode);
	}
}

/* The lock after the record: while it has its name nobody else starts. */
static void note_home(struct remains *remains, const char *home)
{
	static const char *const names[] = {"record", "lock"};
	const char *slash = strrchr(home, '/');
	char path[REMAINS_PATH_MAX + 8];

	if (strlen(home) >= REMAINS_PATH_MAX)
		return;
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", home, names[i]);
		note_existing(remains, path);
	}
	snprintf(remains->folders[0], REMAINS_PATH_MAX, "%s", home);
	snprintf(remains->folders[1], REMAINS_PATH_MAX, "%.*s", (int)(slash - home), home);
}

void remains_note(struct remains *remains, const struct daemon *daemon)
{
	const struct spec *spec = daemon->spec;

	memset(remains, 0, sizeof *remains);
	if (daemon->role != MONITOR && (spec->chroot || spec->chroot_auto))
		return;
	note_sockets(remains, daemon);
	if (daemon->pidfile_fd >= 0)
		note(remains, spec->pidfile, daemon->pidfile_device, daemon->pidfile_inode);
	if (daemon->control_fd >= 0)
		note_existing(remains, spec->control);
	note_home(remains, spec->home_folder);
}

void remains_remove(const struct remains *remains)
{
	for (size_t i = 0; i < remains->count; i++) {
		struct stat stat;

		if (lstat(remains->files[i].path, &stat) == 0 &&
		    stat.st_dev == remains->files[i].device &&
		    stat.st_ino == remains->files[i].inode)
			unlink(remains->files[i].path);
	}
	for (int i = 0; i < 2; i++)
		if (remains->folders[i][0])
			rmdir(remains->folders[i]);
}
