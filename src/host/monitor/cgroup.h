#ifndef LUVD_HOST_MONITOR_CGROUP_H
#define LUVD_HOST_MONITOR_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Control groups (cgroups(7), version 2) of the workers: each is started in one of its own, below
 * the monitor's, and what it has started cannot leave that by a session of its own. Where there is
 * no such tree, no right to it, or no cgroup.kill (Linux before 5.14), nothing here does anything,
 * and nothing fails. */

enum { CGROUP_NAME_MAX = 160, CGROUP_PATH_MAX = 4096, CGROUPS_DYING_MAX = 64 };

struct cgroups {
	int folder;            /* our own group; -1: it cannot be found */
	char name[64];         /* of the daemon */
	unsigned long counter; /* groups that were made */
	/* Killed, but not empty yet. What is too many is left to the next start. */
	char dying[CGROUPS_DYING_MAX][CGROUP_NAME_MAX];
	size_t dying_count;
};

/* Finds our own group, and removes what a daemon of this name has left empty there. */
void cgroups_open(struct cgroups *cgroups, const char *name);
/* After an upgrade: this process's groups that used does not name are killed and removed. */
void cgroups_recall(struct cgroups *cgroups, bool (*used)(void *data, const char *name),
		    void *data);
/* Makes one for a worker; a descriptor of its folder, close-on-exec, or -1 and an empty name. */
int cgroups_make(struct cgroups *cgroups, int generation, int number, char name[CGROUP_NAME_MAX]);
/* Kills all that is in it. An empty name: nothing. */
void cgroups_kill(const struct cgroups *cgroups, const char *name);
/* Kills all that is in it, and removes it as soon as it is empty. */
void cgroups_end(struct cgroups *cgroups, const char *name);
/* Removes those that are empty by now. Never waits. */
void cgroups_sweep(struct cgroups *cgroups);
/* Waits at most patience_ms for the last one. */
void cgroups_close(struct cgroups *cgroups, int patience_ms);

/* The name of the group that a process is in; false: it cannot be told. */
bool cgroup_of(pid_t pid, char name[CGROUP_NAME_MAX]);

/* --- of the kernel's texts --- */

/* The path of a process in the tree of version 2: text is its /proc/PID/cgroup. false: none, or
 * one that is not below ours. */
bool cgroup_read(const char *text, char path[CGROUP_PATH_MAX]);
/* Where the folder of that path is, when this line of /proc/self/mountinfo is a mount of version 2
 * that shows it. */
bool cgroup_mounted(const char *line, const char *path, char folder[CGROUP_PATH_MAX]);

#endif
