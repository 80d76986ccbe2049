#include "host/monitor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/sys.h"

enum { EVERY_MS = 2, NAMES_TRIED = 100 };

/* --- the kernel's texts --- */

bool cgroup_read(const char *text, char path[CGROUP_PATH_MAX])
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		size_t length;

		line += *line == '\n';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		line += 3;
		length = strcspn(line, "\n");
		if (length >= CGROUP_PATH_MAX || strncmp(line, "/..", 3) == 0)
			return false;
		memcpy(path, line, length);
		path[length] = '\0';
		return true;
	}
	return false;
}

static bool is_octal(const char *at)
{
	return at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
	       at[3] >= '0' && at[3] <= '7';
}

/* A field of mountinfo, in which blanks are written as "\040". */
static bool read_field(const char *field, size_t length, char *to)
{
	size_t used = 0;

	if (length >= CGROUP_PATH_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (i + 3 < length && is_octal(field + i)) {
			to[used++] = (char)((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 +
					    field[i + 3] - '0');
			i += 3;
		} else {
			to[used++] = field[i];
		}
	}
	to[used] = '\0';
	return true;
}

/* "36 35 98:0 ROOT POINT OPTIONS [FIELDS ...] - TYPE SOURCE OPTIONS" */
static bool read_mount(const char *line, char root[CGROUP_PATH_MAX], char point[CGROUP_PATH_MAX])
{
	const char *type = strstr(line, " - ");
	const char *field = line;

	if (!type || strncmp(type, " - cgroup2 ", 11) != 0)
		return false;
	for (int i = 0; i < 3; i++) {
		field = strchr(field, ' ');
		if (!field || field >= type)
			return false;
		field++;
	}
	if (!read_field(field, strcspn(field, " "), root))
		return false;
	field += strcspn(field, " ");
	return field < type && read_field(field + 1, strcspn(field + 1, " "), point);
}

bool cgroup_mounted(const char *line, const char *path, char folder[CGROUP_PATH_MAX])
{
	char root[CGROUP_PATH_MAX], point[CGROUP_PATH_MAX];
	size_t length;

	if (!read_mount(line, root, point))
		return false;
	length = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (strncmp(path, root, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return false;
	return snprintf(folder, CGROUP_PATH_MAX, "%s%s", point, path + length) < CGROUP_PATH_MAX;
}

static bool path_of(const char *file, char path[CGROUP_PATH_MAX])
{
	char text[2 * CGROUP_PATH_MAX];
	int fd = sys_try_open(file, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return false;
	length = sys_read_from_start(fd, text, sizeof text - 1);
	sys_close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	return cgroup_read(text, path);
}

bool cgroup_of(pid_t pid, char name[CGROUP_NAME_MAX])
{
	char file[64], path[CGROUP_PATH_MAX];
	const char *last;

	snprintf(file, sizeof file, "/proc/%d/cgroup", (int)pid);
	last = path_of(file, path) ? strrchr(path, '/') : NULL;
	return last && snprintf(name, CGROUP_NAME_MAX, "%s", last + 1) < CGROUP_NAME_MAX;
}

/* --- our own --- */

static int open_own(void)
{
	char path[CGROUP_PATH_MAX], folder[CGROUP_PATH_MAX], *line = NULL;
	size_t room = 0;
	FILE *mounts;
	int fd = -1;

	if (!path_of("/proc/self/cgroup", path))
		return -1;
	mounts = fopen("/proc/self/mountinfo", "re");
	while (mounts && fd < 0 && getline(&line, &room, mounts) > 0)
		if (cgroup_mounted(line, path, folder))
			fd = sys_try_open(folder, O_RDONLY | O_DIRECTORY);
	free(line);
	if (mounts)
		fclose(mounts);
	return fd;
}

/* Calls act for each group below ours whose name begins with "luvd.NAME.". */
static void each(struct cgroups *cgroups, void (*act)(void *data, const char *name), void *data)
{
	char prefix[CGROUP_NAME_MAX];
	int copy = cgroups->folder < 0 ? -1 : sys_dup(cgroups->folder);
	DIR *folder = copy < 0 ? NULL : fdopendir(copy);
	int length = snprintf(prefix, sizeof prefix, "luvd.%s.", cgroups->name);

	if (!folder) {
		if (copy >= 0)
			sys_close(copy);
		return;
	}
	rewinddir(folder); /* the copy shares its place */
	for (struct dirent *entry; (entry = readdir(folder));)
		if (strncmp(entry->d_name, prefix, (size_t)length) == 0 &&
		    strlen(entry->d_name) < CGROUP_NAME_MAX)
			act(data, entry->d_name);
	closedir(folder);
}

/* One with a process in it stays. */
static void remove_empty(void *data, const char *name)
{
	const struct cgroups *cgroups = data;

	(void)sys_cgroup_remove(cgroups->folder, name);
}

void cgroups_open(struct cgroups *cgroups, const char *name)
{
	*cgroups = (struct cgroups){.folder = open_own()};
	snprintf(cgroups->name, sizeof cgroups->name, "%s", name);
	each(cgroups, remove_empty, cgroups);
}

/* --- one --- */

/* Our pid in it: another daemon may have this name, but nobody else makes such a group while we
 * live. */
static bool write_name(const struct cgroups *cgroups, int generation, int number,
		       char name[CGROUP_NAME_MAX])
{
	return snprintf(name, CGROUP_NAME_MAX, "luvd.%s.%d.%d.%d-%lu", cgroups->name, generation,
			number, (int)sys_pid(), cgroups->counter) < CGROUP_NAME_MAX;
}

int cgroups_make(struct cgroups *cgroups, int generation, int number, char name[CGROUP_NAME_MAX])
{
	for (int i = 0; cgroups->folder >= 0 && i < NAMES_TRIED; i++) {
		int fd;

		cgroups->counter++;
		if (!write_name(cgroups, generation, number, name))
			break;
		fd = sys_cgroup_make(cgroups->folder, name);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	name[0] = '\0';
	return -1;
}

void cgroups_kill(const struct cgroups *cgroups, const char *name)
{
	if (cgroups->folder >= 0 && *name)
		(void)sys_cgroup_kill(cgroups->folder, name);
}

static bool is_removed(const struct cgroups *cgroups, const char *name)
{
	return sys_cgroup_remove(cgroups->folder, name) == 0 || errno != EBUSY;
}

void cgroups_end(struct cgroups *cgroups, const char *name)
{
	if (cgroups->folder < 0 || !*name)
		return;
	cgroups_kill(cgroups, name);
	if (is_removed(cgroups, name) || cgroups->dying_count == CGROUPS_DYING_MAX)
		return;
	snprintf(cgroups->dying[cgroups->dying_count++], CGROUP_NAME_MAX, "%s", name);
}

void cgroups_sweep(struct cgroups *cgroups)
{
	for (size_t i = cgroups->dying_count; i-- > 0;) {
		if (!is_removed(cgroups, cgroups->dying[i]))
			continue;
		cgroups->dying_count--;
		if (i < cgroups->dying_count)
			memcpy(cgroups->dying[i], cgroups->dying[cgroups->dying_count],
			       CGROUP_NAME_MAX);
	}
}

void cgroups_close(struct cgroups *cgroups, int patience_ms)
{
	cgroups_sweep(cgroups);
	for (int waited = 0; cgroups->dying_count > 0 && waited < patience_ms; waited += EVERY_MS) {
		sys_sleep(EVERY_MS);
		cgroups_sweep(cgroups);
	}
	if (cgroups->folder >= 0)
		sys_close(cgroups->folder);
	cgroups->folder = -1;
	cgroups->dying_count = 0;
}

/* --- after an upgrade --- */

struct recall {
	struct cgroups *cgroups;
	bool (*used)(void *data, const char *name);
	void *data;
};

static bool is_own(const char *name)
{
	const char *last = strrchr(name, '.');
	char *end;

	return strtol(last + 1, &end, 10) == sys_pid() && *end == '-';
}

static void end_unused(void *data, const char *name)
{
	const struct recall *recall = data;

	if (is_own(name) && !recall->used(recall->data, name))
		cgroups_end(recall->cgroups, name);
}

void cgroups_recall(struct cgroups *cgroups, bool (*used)(void *data, const char *name), void *data)
{
	struct recall recall = {cgroups, used, data};

	each(cgroups, end_unused, &recall);
}
