#include "sys/sys.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id /* glibc has the member, its name not everywhere */
#define sigev_notify_thread_id _sigev_un._tid
#endif

/* --- descriptors --- */

static int close_between(unsigned first, unsigned last)
{
	return first > last ? 0 : (int)syscall(SYS_close_range, first, last, 0);
}

int sys_close_others(const int *keep, size_t count)
{
	unsigned first = 3;

	for (size_t i = 0; i < count; i++) {
		if (keep[i] < (int)first)
			continue;
		if (close_between(first, (unsigned)keep[i] - 1) < 0)
			return -1;
		first = (unsigned)keep[i] + 1;
	}
	return close_between(first, UINT_MAX);
}

static int write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		length -= (size_t)n;
	}
	return 0;
}

int sys_memfd_sealed(const char *name, const void *bytes, size_t length)
{
	const int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (write_all(fd, bytes, length) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

void sys_pipe_size(int fd, int bytes)
{
	(void)fcntl(fd, F_SETPIPE_SZ, bytes);
}

int sys_open_self(void)
{
	return sys_open("/proc/self/exe", O_PATH, 0);
}

int sys_self_path(char *path, size_t size)
{
	static const char deleted[] = " (deleted)";
	ssize_t length = readlink("/proc/self/exe", path, size);
	size_t tail = sizeof deleted - 1;

	if (length < 0)
		return -1;
	if ((size_t)length >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	path[length] = '\0';
	if ((size_t)length > tail && strcmp(path + length - tail, deleted) == 0)
		path[(size_t)length - tail] = '\0';
	return 0;
}

int sys_open_status(void)
{
	return sys_open("/proc/self/status", O_RDONLY, 0);
}

/* --- files --- */

int sys_chown(int fd, uid_t uid, gid_t gid)
{
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH);
}

int sys_lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -1;
	if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
		if (errno == EACCES)
			errno = EWOULDBLOCK;
		return -1;
	}
	return 0;
}

int sys_lock_held(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_GETLK, &whole) < 0)
		return -1;
	return whole.l_type != F_UNLCK;
}

int sys_bind_file(int fd, const struct sockaddr *address, socklen_t length, mode_t mode)
{
	mode_t mask;
	int result;

	if (fchmod(fd, mode) < 0)
		return -1;
	mask = umask(0);
	result = bind(fd, address, length);
	umask(mask);
	return result;
}

/* --- signals --- */

static void fill_ending(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTERM);
}

int sys_signal_fd(void)
{
	sigset_t set;

	fill_ending(&set);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int sys_signal_fd_any(void)
{
	sigset_t set;

	fill_ending(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- processes --- */

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif

void sys_refuse_descriptors(int fd)
{
	const int none = 0;

	(void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &none, sizeof none);
}

int sys_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int sys_pidfd_signal(int pidfd, int number)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
}

enum { SPAWN_FDS_MAX = 1024, SPAWN_NO_DESCRIPTOR = 126, SPAWN_FAILED = 127 };

/* Puts each of from[] on 0, 1, 2, although one may be the target of another. */
static int place_stdio(const int from[3])
{
	int copies[3];

	for (int i = 0; i < 3; i++) {
		copies[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
		if (copies[i] < 0)
			return -1;
	}
	for (int i = 0; i < 3; i++)
		if (dup2(copies[i], i) < 0)
			return -1;
	return 0;
}

pid_t sys_spawn_self(int self_fd, char *const arguments[], int in, int out, int error)
{
	const int stdio[3] = {in, out, error};
	char *none[] = {NULL};
	/* Not fork(3): a thread of ours may hold a lock that its handlers want. */
	pid_t pid = _Fork();

	if (pid != 0)
		return pid;
	if (place_stdio(stdio) == 0 &&
	    syscall(SYS_close_range, 3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0 &&
	    sys_signals_reset() == 0)
		syscall(SYS_execveat, self_fd, "", arguments, none, AT_EMPTY_PATH);
	_exit(SPAWN_FAILED);
}

/* Makes fds[i] descriptor i for each, although one may have the number of another's place: first
 * all are copied to where no place is. */
static int place_all(const int *fds, size_t count, int *self_fd)
{
	int first = count > 3 ? (int)count : 3;
	int copies[SPAWN_FDS_MAX];

	for (size_t i = 0; i < count; i++) {
		copies[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, first);
		if (copies[i] < 0)
			return -1;
	}
	*self_fd = fcntl(*self_fd, F_DUPFD_CLOEXEC, first);
	if (*self_fd < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (dup2(copies[i], (int)i) < 0)
			return -1;
	return 0;
}

static int write_at(int folder, const char *path, const char *text)
{
	int fd = openat(folder, path, O_WRONLY | O_CLOEXEC), result;

	if (fd < 0)
		return -1;
	result = write_all(fd, text, strlen(text));
	close(fd);
	return result;
}

/* A child in that group; -1 where the kernel, or a filter of system calls, does not know how. */
static pid_t fork_into(int group_fd)
{
	struct clone_args clone = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};

	clone.cgroup = (uint64_t)group_fd;
	return (pid_t)syscall(SYS_clone3, &clone, sizeof clone);
}

/* It may be in the group from its first moment on, else it goes there itself: which takes the
 * kernel longer. */
static pid_t fork_worker(int group_fd)
{
	pid_t pid = group_fd < 0 ? -1 : fork_into(group_fd);

	if (pid >= 0)
		return pid;
	pid = _Fork();
	if (pid == 0 && group_fd >= 0)
		(void)write_at(group_fd, "cgroup.procs", "0");
	return pid;
}

pid_t sys_spawn_worker(int self_fd, char *const arguments[], const int *fds, size_t count,
		       int group_fd)
{
	char *none[] = {NULL};
	pid_t pid;

	if (count > SPAWN_FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	pid = fork_worker(group_fd);
	if (pid != 0)
		return pid;
	if (place_all(fds, count, &self_fd) < 0)
		_exit(SPAWN_NO_DESCRIPTOR);
	if (syscall(SYS_close_range, (unsigned)count, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0 &&
	    sys_signals_reset() == 0)
		syscall(SYS_execveat, self_fd, "", arguments, none, AT_EMPTY_PATH);
	_exit(SPAWN_FAILED);
}

int sys_execute(int fd, char *const arguments[])
{
	char *none[] = {NULL};

	return (int)syscall(SYS_execveat, fd, "", arguments, none, AT_EMPTY_PATH);
}

int sys_cgroup_make(int folder, const char *name)
{
	int fd;

	if (mkdirat(folder, name, 0755) < 0)
		return -1;
	fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && faccessat(fd, "cgroup.kill", W_OK, AT_EACCESS) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	unlinkat(folder, name, AT_REMOVEDIR);
	errno = ENOSYS;
	return -1;
}

int sys_cgroup_kill(int folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/cgroup.kill", name);
	return write_at(folder, path, "1");
}

int sys_cgroup_remove(int folder, const char *name)
{
	return unlinkat(folder, name, AT_REMOVEDIR);
}

int sys_limit_child(pid_t pid, int resource, rlim_t value)
{
	struct rlimit limit = {value, value};

	return prlimit(pid, (__rlimit_resource_t)resource, &limit, NULL);
}

int sys_parent_death_signal(int number)
{
	return prctl(PR_SET_PDEATHSIG, number, 0, 0, 0);
}

uint64_t sys_started(pid_t pid)
{
	char path[64], text[1024], *field;
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof text - 1);
	close(fd);
	if (length <= 0)
		return 0;
	text[length] = '\0';
	/* The second field is a name in brackets that may hold anything; 22 is 20 blanks on. */
	field = strrchr(text, ')');
	for (int i = 2; field && i < 22; i++)
		field = strchr(field + 1, ' ');
	return field ? strtoull(field, NULL, 10) : 0;
}

/* The main thread's: it forks, and who is handed to a process is handed to its first thread. */
size_t sys_children(pid_t *list, size_t size)
{
	char path[64], bytes[1024];
	size_t count = 0;
	long pid = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	/* "4711 4712 "; a number may be cut at the end of a piece, and goes on in the next. */
	while (count < size && (n = read(fd, bytes, sizeof bytes)) > 0) {
		for (ssize_t i = 0; i < n && count < size; i++) {
			if (bytes[i] >= '0' && bytes[i] <= '9') {
				pid = pid * 10 + (bytes[i] - '0');
				continue;
			}
			list[count++] = (pid_t)pid;
			pid = 0;
		}
	}
	close(fd);
	return count;
}

int sys_process_name(pid_t pid, char *name, size_t size)
{
	char path[64], text[1024], *begin, *end;
	ssize_t length;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	length = read(fd, text, sizeof text - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (!begin || !end || strncmp(end, ") Z", 3) == 0)
		return -1;
	snprintf(name, size, "%.*s", (int)(end - begin - 1), begin + 1);
	return 0;
}

size_t sys_descriptors(int *list, size_t size)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;
	size_t count = 0;

	while (folder && count < size && (entry = readdir(folder))) {
		int fd = entry->d_name[0] == '.' ? -1 : (int)strtol(entry->d_name, NULL, 10);

		if (fd >= 0 && fd != dirfd(folder))
			list[count++] = fd;
	}
	if (folder)
		closedir(folder);
	return count;
}

int sys_descriptor_name(int fd, char *name, size_t size)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	length = readlink(path, name, size - 1);
	if (length < 0)
		return -1;
	name[length] = '\0';
	return 0;
}

/* --- this process --- */

/* Pages that nothing has written to come back from the file when they are needed again. */
static int forget_pages(struct dl_phdr_info *object, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t begin = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
		uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_filesz;

		/* The kernel's own object (vdso(7)) is no file. */
		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W) &&
		    object->dlpi_addr != getauxval(AT_SYSINFO_EHDR))
			(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void sys_trim_memory(void)
{
	malloc_trim(0);
	dl_iterate_phdr(forget_pages, NULL);
}

bool sys_is_set_uid(void)
{
	/* AT_SECURE tells of file capabilities too. Root has nothing to gain from a file, and a
	 * security module may set it for every service it starts. */
	return getuid() != geteuid() || getgid() != getegid() ||
	       (getuid() != 0 && getauxval(AT_SECURE) != 0);
}

int sys_name(const char *name)
{
	return prctl(PR_SET_NAME, name, 0, 0, 0);
}

int sys_oom_score(int score)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%d\n", score);
	int fd = sys_open("/proc/self/oom_score_adj", O_WRONLY, 0);
	int result;

	if (fd < 0)
		return -1;
	result = sys_write_at_start(fd, text, (size_t)length);
	sys_close(fd);
	return result;
}

int sys_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof set, &set) < 0)
		return 1;
	return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

/* --- limits and priority --- */

int sys_io_priority(int class, int level)
{
	enum { WHO_PROCESS = 1, CLASS_SHIFT = 13 };

	return (int)syscall(SYS_ioprio_set, WHO_PROCESS, 0, class << CLASS_SHIFT | level);
}

int sys_affinity(const int *cpus, size_t count)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (size_t i = 0; i < count; i++) {
		if (cpus[i] < 0 || cpus[i] >= CPU_SETSIZE) {
			errno = EINVAL;
			return -1;
		}
		CPU_SET((size_t)cpus[i], &set);
	}
	return sched_setaffinity(0, sizeof set, &set);
}

/* --- identity and confinement --- */

static uint64_t bit(int capability)
{
	return UINT64_C(1) << capability;
}

/* Asks for every capability that the kernel knows: it says EINVAL for the first it does not. */
static int bounding(uint64_t *mask)
{
	*mask = 0;
	for (int i = 0; i < CAPABILITIES; i++) {
		int set = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (set < 0)
			return errno == EINVAL && i > 0 ? 0 : -1;
		if (set)
			*mask |= bit(i);
	}
	return 0;
}

/* Only what is permitted and inheritable can be ambient: no other is asked for. */
static int ambient(uint64_t possible, uint64_t *mask)
{
	*mask = 0;
	for (int i = 0; i < CAPABILITIES; i++) {
		int set = 0;

		if (possible & bit(i))
			set = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0);
		if (set < 0)
			return -1;
		if (set)
			*mask |= bit(i);
	}
	return 0;
}

int sys_capabilities(struct sys_capabilities *capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	capabilities->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	capabilities->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	capabilities->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	if (bounding(&capabilities->bounding) < 0)
		return -1;
	return ambient(capabilities->permitted & capabilities->inheritable, &capabilities->ambient);
}

int sys_capabilities_set(uint64_t mask)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		uint32_t word = (uint32_t)(mask >> 32 * i);

		data[i] = (struct __user_cap_data_struct){word, word, word};
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, data) < 0)
		return -1;
	for (int i = 0; i < CAPABILITIES; i++)
		if ((mask & bit(i)) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return -1;
	return 0;
}

int sys_bounding_set(uint64_t mask)
{
	for (int i = 0; i < CAPABILITIES; i++) {
		int set = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (set < 0)
			return errno == EINVAL && i > 0 ? 0 : -1;
		if (set && !(mask & bit(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return -1;
	}
	return 0;
}

int sys_keep_capabilities(bool keep)
{
	return prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0);
}

const char *sys_capability_name(int capability)
{
	static _Thread_local char unknown[32];
	const char *name = capng_capability_to_name((unsigned)capability);

	if (name)
		return name;
	snprintf(unknown, sizeof unknown, "capability %d", capability);
	return unknown;
}

int sys_dumpable(bool dumpable)
{
	return prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0);
}

int sys_is_dumpable(void)
{
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	return dumpable < 0 ? -1 : dumpable != 0;
}

int sys_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int sys_has_no_new_privs(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

int sys_thread_timer(int number, timer_t *timer)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number};

	event.sigev_notify_thread_id = gettid();
	return timer_create(CLOCK_MONOTONIC, &event, timer);
}
