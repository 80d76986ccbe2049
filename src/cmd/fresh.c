#include "cmd/fresh.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/sys.h"

/* Remembers a path for fresh_undo, before it is made: nothing is left because memory is short. */
static int remember(struct fresh *fresh, const char *path, size_t length, struct err *err)
{
	char *copy;

	if (!fresh->paths)
		fresh->paths = calloc(FRESH_MAX, sizeof *fresh->paths);
	copy = fresh->paths && fresh->count < FRESH_MAX ? strndup(path, length) : NULL;
	if (!copy)
		return err_set(err, "out of memory");
	fresh->paths[fresh->count++] = copy;
	return 0;
}

/* What was remembered was not made. */
static void forget(struct fresh *fresh)
{
	free(fresh->paths[--fresh->count]);
}

/* 1, 0, or -1 with errno. */
static int is_empty(int folder)
{
	int copy = sys_open_at(folder, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	int count = 0;

	if (!entries) {
		if (copy >= 0)
			sys_close(copy);
		return -1;
	}
	while (count <= 2 && readdir(entries))
		count++;
	closedir(entries);
	return count <= 2; /* "." and ".." */
}

int fresh_folder(struct fresh *fresh, const char *folder, struct err *err)
{
	int empty;

	*fresh = (struct fresh){.folder = folder, .fd = -1};
	if (sys_mkdir_at(AT_FDCWD, folder, 0777) == 0)
		fresh->own = true;
	else if (errno != EEXIST)
		return err_sys(err, "cannot make the folder '%s'", folder);
	fresh->fd = sys_open(folder, O_RDONLY | O_DIRECTORY, 0);
	if (fresh->fd < 0)
		return err_sys(err, "cannot open the folder '%s'", folder);
	empty = fresh->own ? 1 : is_empty(fresh->fd);
	if (empty < 0)
		return err_sys(err, "cannot read the folder '%s'", folder);
	if (!empty)
		return err_set(err,
			       "the folder '%s' is there already, and not empty: nothing was "
			       "changed; give another name",
			       folder);
	return 0;
}

static int make_parent(struct fresh *fresh, const char *path, struct err *err)
{
	const char *slash = strchr(path, '/');
	const char *name;
	int result;

	if (!slash)
		return 0;
	if (remember(fresh, path, (size_t)(slash - path), err) < 0)
		return -1;
	name = fresh->paths[fresh->count - 1];
	if (sys_mkdir_at(fresh->fd, name, 0777) == 0)
		return 0;
	result = errno == EEXIST
		     ? 0
		     : err_sys(err, "cannot make the folder '%s/%s'", fresh->folder, name);
	forget(fresh);
	return result;
}

int fresh_file(struct fresh *fresh, const char *path, const char *text, struct err *err)
{
	int fd, result = 0;

	if (make_parent(fresh, path, err) < 0 || remember(fresh, path, strlen(path), err) < 0)
		return -1;
	fd = sys_open_at(fresh->fd, path, O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd < 0) {
		forget(fresh);
		return err_sys(err, "cannot make '%s/%s'", fresh->folder, path);
	}
	if (sys_write_at_start(fd, text, strlen(text)) < 0)
		result = err_sys(err, "cannot write '%s/%s'", fresh->folder, path);
	sys_close(fd);
	return result;
}

void fresh_undo(struct fresh *fresh)
{
	while (fresh->count > 0) {
		const char *path = fresh->paths[fresh->count - 1];

		sys_discard_at(fresh->fd, path);
		sys_discard_folder_at(fresh->fd, path);
		forget(fresh);
	}
	if (fresh->own)
		sys_discard_folder(fresh->folder);
}

void fresh_finish(struct fresh *fresh)
{
	while (fresh->count > 0)
		forget(fresh);
	free(fresh->paths);
	if (fresh->fd >= 0)
		sys_close(fresh->fd);
}
