#include "sys/sys.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* --- descriptors --- */

int sys_fill_stdio(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		int null;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* The lowest free number is fd itself: all below it are open. */
		null = open("/dev/null", O_RDWR | O_NOCTTY);
		if (null < 0)
			return -1;
	}
	return 0;
}

int sys_dup_to(int fd, int target)
{
	return dup2(fd, target) < 0 ? -1 : 0;
}

int sys_dup(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

int sys_close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int sys_keep_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, 0);
}

bool sys_is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

void sys_close(int fd)
{
	int code = errno;

	if (fd >= 0)
		close(fd);
	errno = code;
}

int sys_open(const char *path, int flags, mode_t mode)
{
	return sys_open_at(AT_FDCWD, path, flags, mode);
}

int sys_open_at(int folder, const char *name, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(folder, name, flags | O_CLOEXEC | O_NOCTTY, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int sys_try_open(const char *path, int flags)
{
	return sys_open(path, flags, 0);
}

int sys_pipe(int ends[2])
{
	return pipe2(ends, O_CLOEXEC);
}

int sys_channel(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

/* --- files --- */

int sys_stat(int fd, struct stat *stat)
{
	return fstat(fd, stat);
}

int sys_stat_at(int folder, const char *name, struct stat *stat)
{
	return fstatat(folder, name, stat, AT_SYMLINK_NOFOLLOW);
}

int sys_mkdir_at(int folder, const char *name, mode_t mode)
{
	return mkdirat(folder, name, mode);
}

int sys_chmod(int fd, mode_t mode)
{
	return fchmod(fd, mode);
}

int sys_truncate(int fd)
{
	return ftruncate(fd, 0);
}

int sys_write_at_start(int fd, const void *bytes, size_t length)
{
	const char *p = bytes;
	size_t done = 0;

	while (done < length) {
		ssize_t n = pwrite(fd, p + done, length - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = ENOSPC;
			return -1;
		}
		done += (size_t)n;
	}
	return 0;
}

ssize_t sys_read_from_start(int fd, void *bytes, size_t size)
{
	char *p = bytes;
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, p + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int sys_rename_at(int folder, const char *from, const char *to)
{
	return renameat(folder, from, folder, to);
}

int sys_remove_at(int folder, const char *name)
{
	return unlinkat(folder, name, 0);
}

void sys_discard(const char *path, dev_t device, ino_t inode)
{
	struct stat now;

	if (inode == 0 || fstatat(AT_FDCWD, path, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (now.st_dev == device && now.st_ino == inode)
		unlinkat(AT_FDCWD, path, S_ISDIR(now.st_mode) ? AT_REMOVEDIR : 0);
}

void sys_discard_folder(const char *path)
{
	sys_discard_folder_at(AT_FDCWD, path);
}

void sys_discard_folder_at(int folder, const char *name)
{
	unlinkat(folder, name, AT_REMOVEDIR);
}

void sys_discard_at(int folder, const char *name)
{
	unlinkat(folder, name, 0);
}

/* --- sockets --- */

int sys_socket(int domain, int type)
{
	return socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

int sys_socket_set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

int sys_socket_get(int fd, int level, int option, int *value)
{
	socklen_t length = sizeof *value;

	return getsockopt(fd, level, option, value, &length);
}

int sys_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return bind(fd, address, length);
}

int sys_listen(int fd, int backlog)
{
	return listen(fd, backlog);
}

int sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return connect(fd, address, length);
}

int sys_socket_name(int fd, struct sockaddr_storage *address, socklen_t *length)
{
	*length = sizeof *address;
	memset(address, 0, sizeof *address);
	return getsockname(fd, (struct sockaddr *)address, length);
}

int sys_notify_socket(const struct sockaddr *address, socklen_t length)
{
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM);

	if (fd < 0)
		return -1;
	if (connect(fd, address, length) < 0) {
		sys_close(fd);
		return -1;
	}
	return fd;
}

/* --- signals --- */

int sys_signals_reset(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int number = 1; number <= 31; number++) {
		if (number == SIGKILL || number == SIGSTOP)
			continue;
		if (sigaction(number, &action, NULL) < 0)
			return -1;
	}
	/* 32 and 33 are the C library's own; valgrind keeps another, and says that there is none.
	 */
	for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
		if (sigaction(number, &action, NULL) < 0 && errno != EINVAL)
			return -1;
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

static void handled_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGQUIT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
}

int sys_signals_block_all(void)
{
	sigset_t all;

	sigfillset(&all);
	return sigprocmask(SIG_SETMASK, &all, NULL);
}

int sys_signals_block(void)
{
	sigset_t set;

	handled_signals(&set);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

int sys_signal_pending(pid_t *sender)
{
	const struct timespec at_once = {0};
	siginfo_t info;
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	number = sigtimedwait(&set, &info, &at_once);
	if (number <= 0)
		return 0;
	*sender = info.si_pid;
	return number;
}

int sys_signal_pending_any(bool *by_kernel)
{
	const struct timespec at_once = {0};
	siginfo_t info;
	sigset_t set;
	int number;

	handled_signals(&set);
	number = sigtimedwait(&set, &info, &at_once);
	if (number <= 0)
		return 0;
	*by_kernel = info.si_code == SI_KERNEL;
	return number;
}

int sys_signal_handle(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {0};

	if (handler) {
		action.sa_sigaction = handler;
		action.sa_flags = SA_SIGINFO | SA_RESTART;
	} else {
		action.sa_handler = SIG_IGN;
	}
	sigfillset(&action.sa_mask);
	return sigaction(number, &action, NULL);
}

int sys_signals_unblock(void)
{
	sigset_t none;

	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL);
}

/* --- processes --- */

pid_t sys_fork(void)
{
	return fork();
}

int sys_setsid(void)
{
	return setsid() < 0 ? -1 : 0;
}

pid_t sys_wait(pid_t pid, int *status, int options)
{
	pid_t got;

	do
		got = waitpid(pid, status, options);
	while (got < 0 && errno == EINTR);
	return got;
}

int sys_kill(pid_t pid, int number)
{
	return kill(pid, number);
}

void sys_exit(int code)
{
	_exit(code);
}

pid_t sys_parent(void)
{
	return getppid();
}

pid_t sys_pid(void)
{
	return getpid();
}

pid_t sys_session(pid_t pid)
{
	return getsid(pid);
}

void sys_sleep(int milliseconds)
{
	struct timespec time = {.tv_sec = milliseconds / 1000,
				.tv_nsec = (long)(milliseconds % 1000) * 1000000};

	nanosleep(&time, NULL);
}

/* --- this process --- */

char **sys_environment(void)
{
	return environ;
}

void sys_environment_wipe(void)
{
	static char *empty[] = {NULL};

	for (char **entry = environ; entry && *entry; entry++)
		explicit_bzero(*entry, strlen(*entry));
	environ = empty;
}

void sys_environment_set(char **environment)
{
	static char *empty[] = {NULL};

	environ = environment ? environment : empty;
}

void sys_title(char **arguments, const char *title)
{
	char *start = arguments[0];
	char *end = start;
	size_t room, length = strlen(title);

	/* The kernel lays the strings out one behind the other; stop where that is not so. */
	for (size_t i = 0; arguments[i] && arguments[i] == end; i++)
		end = arguments[i] + strlen(arguments[i]) + 1;
	if (end == start)
		return;
	room = (size_t)(end - start) - 1;
	if (length > room)
		length = room;
	memset(start, 0, room);
	snprintf(start, room + 1, "%s", title);
	for (size_t i = 1; arguments[i]; i++)
		arguments[i] = start + length; /* what they were is gone: "" */
}

mode_t sys_umask(mode_t mask)
{
	return umask(mask);
}

int sys_chdir(const char *path)
{
	return chdir(path);
}

int sys_working_directory(char *path, size_t size)
{
	return getcwd(path, size) ? 0 : -1;
}

void sys_warm_time(void)
{
	time_t now = time(NULL);
	struct tm local;

	if (!getenv("TZ"))
		setenv("TZ", ":/etc/localtime", 1);
	tzset();
	localtime_r(&now, &local);
}

void sys_warm_names(uid_t uid, gid_t gid)
{
	/* Whether the ids have names does not matter: the modules are loaded either way. */
	(void)getpwuid(uid);
	(void)getgrgid(gid);
	res_init();
}

const char *sys_preload(const char *path)
{
	return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) ? NULL : dlerror();
}

/* --- limits and priority --- */

int sys_limit_get(int resource, struct rlimit *limit)
{
	return getrlimit((__rlimit_resource_t)resource, limit);
}

int sys_limit_set(int resource, rlim_t value)
{
	struct rlimit limit = {.rlim_cur = value, .rlim_max = value};

	return setrlimit((__rlimit_resource_t)resource, &limit);
}

int sys_nice(int nice)
{
	return setpriority(PRIO_PROCESS, 0, nice);
}

/* --- identity and confinement --- */

int sys_chroot(const char *path)
{
	return chroot(path);
}

int sys_groups_set(const gid_t *groups, size_t count)
{
	return setgroups(count, groups);
}

int sys_gid_set(gid_t gid)
{
	return setresgid(gid, gid, gid);
}

int sys_uid_set(uid_t uid)
{
	return setresuid(uid, uid, uid);
}

int sys_ids(struct sys_ids *ids)
{
	int count;

	if (getresuid(&ids->uid[0], &ids->uid[1], &ids->uid[2]) < 0 ||
	    getresgid(&ids->gid[0], &ids->gid[1], &ids->gid[2]) < 0)
		return -1;
	count = getgroups(SYS_GROUPS_MAX, ids->groups);
	if (count < 0)
		return -1;
	ids->group_count = (size_t)count;
	return 0;
}

int sys_regain_uid(uid_t uid)
{
	const uid_t same = (uid_t)-1;

	if (setuid(uid) == 0 || setreuid(uid, same) == 0 || setreuid(same, uid) == 0 ||
	    setresuid(uid, same, same) == 0 || setresuid(same, uid, same) == 0 ||
	    setresuid(same, same, uid) == 0)
		return 0;
	return -1;
}

int sys_regain_gid(gid_t gid)
{
	const gid_t same = (gid_t)-1;

	if (setgid(gid) == 0 || setregid(gid, same) == 0 || setregid(same, gid) == 0 ||
	    setresgid(gid, same, same) == 0 || setresgid(same, gid, same) == 0 ||
	    setresgid(same, same, gid) == 0)
		return 0;
	return -1;
}
