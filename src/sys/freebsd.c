#include "sys/sys.h"

#include <errno.h>
#include <unistd.h>

/* FreeBSD: what posix.c does not cover is not written yet. Every call refuses with ENOSYS, so that
 * the step that needs it says so and ends the start; nothing is done half. */

static int refuse(void)
{
	errno = ENOSYS;
	return -1;
}

int sys_close_others(const int *keep, size_t count)
{
	(void)keep;
	(void)count;
	return refuse();
}

int sys_memfd_sealed(const char *name, const void *bytes, size_t length)
{
	(void)name;
	(void)bytes;
	(void)length;
	return refuse();
}

/* It grows by itself. */
void sys_pipe_size(int fd, int bytes)
{
	(void)fd;
	(void)bytes;
}

int sys_open_self(void)
{
	return refuse();
}

int sys_self_path(char *path, size_t size)
{
	(void)path;
	(void)size;
	return refuse();
}

int sys_open_status(void)
{
	return refuse();
}

int sys_chown(int fd, uid_t uid, gid_t gid)
{
	(void)fd;
	(void)uid;
	(void)gid;
	return refuse();
}

int sys_lock(int fd)
{
	(void)fd;
	return refuse();
}

int sys_lock_held(int fd)
{
	(void)fd;
	return refuse();
}

int sys_bind_file(int fd, const struct sockaddr *address, socklen_t length, mode_t mode)
{
	(void)fd;
	(void)address;
	(void)length;
	(void)mode;
	return refuse();
}

int sys_signal_fd(void)
{
	return refuse();
}

int sys_signal_fd_any(void)
{
	return refuse();
}

int sys_subreaper(void)
{
	return refuse();
}

int sys_pidfd_open(pid_t pid)
{
	(void)pid;
	return refuse();
}

int sys_pidfd_signal(int pidfd, int number)
{
	(void)pidfd;
	(void)number;
	return refuse();
}

pid_t sys_spawn_self(int self_fd, char *const arguments[], int in, int out, int error)
{
	(void)self_fd;
	(void)arguments;
	(void)in;
	(void)out;
	(void)error;
	return refuse();
}

size_t sys_children(pid_t *list, size_t size)
{
	(void)list;
	(void)size;
	return 0;
}

void sys_trim_memory(void)
{
}

pid_t sys_spawn_worker(int self_fd, char *const arguments[], const int *fds, size_t count,
		       int group_fd)
{
	(void)self_fd;
	(void)arguments;
	(void)fds;
	(void)count;
	(void)group_fd;
	return refuse();
}

int sys_cgroup_make(int folder, const char *name)
{
	(void)folder;
	(void)name;
	return refuse();
}

int sys_cgroup_kill(int folder, const char *name)
{
	(void)folder;
	(void)name;
	return refuse();
}

int sys_cgroup_remove(int folder, const char *name)
{
	(void)folder;
	(void)name;
	return refuse();
}

int sys_execute(int fd, char *const arguments[])
{
	(void)fd;
	(void)arguments;
	return refuse();
}

int sys_limit_child(pid_t pid, int resource, rlim_t value)
{
	(void)pid;
	(void)resource;
	(void)value;
	return refuse();
}

int sys_parent_death_signal(int number)
{
	(void)number;
	return refuse();
}

int sys_process_name(pid_t pid, char *name, size_t size)
{
	(void)pid;
	(void)name;
	(void)size;
	return refuse();
}

size_t sys_descriptors(int *list, size_t size)
{
	(void)list;
	(void)size;
	return 0;
}

int sys_descriptor_name(int fd, char *name, size_t size)
{
	(void)fd;
	(void)name;
	(void)size;
	return refuse();
}

uint64_t sys_started(pid_t pid)
{
	(void)pid;
	return 0;
}

bool sys_is_set_uid(void)
{
	return issetugid() != 0;
}

int sys_name(const char *name)
{
	(void)name;
	return refuse();
}

int sys_oom_score(int score)
{
	(void)score;
	return refuse();
}

int sys_cpus(void)
{
	return 1;
}

int sys_io_priority(int class, int level)
{
	(void)class;
	(void)level;
	return refuse();
}

int sys_affinity(const int *cpus, size_t count)
{
	(void)cpus;
	(void)count;
	return refuse();
}

int sys_capabilities(struct sys_capabilities *capabilities)
{
	(void)capabilities;
	return refuse();
}

int sys_capabilities_set(uint64_t mask)
{
	(void)mask;
	return refuse();
}

int sys_bounding_set(uint64_t mask)
{
	(void)mask;
	return refuse();
}

int sys_keep_capabilities(bool keep)
{
	(void)keep;
	return refuse();
}

const char *sys_capability_name(int capability)
{
	(void)capability;
	return "capability";
}

int sys_dumpable(bool dumpable)
{
	(void)dumpable;
	return refuse();
}

int sys_is_dumpable(void)
{
	return refuse();
}

int sys_no_new_privs(void)
{
	return refuse();
}

int sys_has_no_new_privs(void)
{
	return refuse();
}

int sys_thread_timer(int number, timer_t *timer)
{
	(void)number;
	(void)timer;
	return refuse();
}
