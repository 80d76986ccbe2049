#include "sys_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

struct fake fake;

/* --- the transcript --- */

static bool enter(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Writes the call down; true when it is to be refused. */
static bool enter(const char *name, const char *format, ...)
{
	char *to = fake.transcript + fake.used;
	size_t room = sizeof fake.transcript - fake.used;
	va_list args;
	int n = snprintf(to, room, "%s(", name);

	va_start(args, format);
	n += vsnprintf(to + n, room - (size_t)n, format, args);
	va_end(args);
	n += snprintf(to + n, room - (size_t)n, ")\n");
	fake.used += (size_t)n;
	if (fake.calls++ != fake.refuse_at &&
	    (!fake.refuse_name || strcmp(fake.refuse_name, name) != 0 || fake.refuse_nth-- != 1))
		return false;
	fake.refuse_name = NULL;
	snprintf(fake.refused, sizeof fake.refused, "sys_%s", name);
	errno = fake.refuse_code;
	return true;
}

bool fake_saw(const char *first, ...)
{
	const char *at = fake.transcript;
	va_list args;

	va_start(args, first);
	for (const char *text = first; text && at; text = va_arg(args, const char *)) {
		at = strstr(at, text);
		if (at)
			at += strlen(text);
	}
	va_end(args);
	return at != NULL;
}

/* --- files --- */

struct fake_node *fake_node(const char *path)
{
	for (int i = 0; i < FAKE_NODES; i++)
		if (fake.nodes[i].inode && fake.nodes[i].linked &&
		    strcmp(fake.nodes[i].path, path) == 0)
			return &fake.nodes[i];
	return NULL;
}

struct fake_node *fake_add(const char *path, mode_t mode)
{
	for (int i = 0; i < FAKE_NODES; i++) {
		struct fake_node *node = &fake.nodes[i];

		if (node->inode)
			continue;
		snprintf(node->path, sizeof node->path, "%s", path);
		node->mode = mode;
		node->uid = fake.ids.uid[1];
		node->gid = fake.ids.gid[1];
		node->inode = ++fake.next_inode;
		node->linked = true;
		return node;
	}
	abort();
}

void fake_list(char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < FAKE_NODES; i++)
		if (fake.nodes[i].inode && fake.nodes[i].linked)
			used +=
			    (size_t)snprintf(text + used, size - used, "%s\n", fake.nodes[i].path);
}

static int new_fd(const struct fake_node *node, const char *path)
{
	for (int fd = 3; fd < FAKE_FDS; fd++) {
		if (fake.fds[fd].open)
			continue;
		memset(&fake.fds[fd], 0, sizeof fake.fds[fd]);
		fake.fds[fd].open = true;
		fake.fds[fd].node = node ? (int)(node - fake.nodes) : -1;
		snprintf(fake.fds[fd].path, sizeof fake.fds[fd].path, "%s", path);
		return fd;
	}
	abort();
}

static int fail(int code)
{
	errno = code;
	return -1;
}

static struct fake_node *node_of(int fd)
{
	return fd >= 0 && fd < FAKE_FDS && fake.fds[fd].open && fake.fds[fd].node >= 0
		   ? &fake.nodes[fake.fds[fd].node]
		   : NULL;
}

static const char *join(int folder, const char *name, char path[200])
{
	const struct fake_node *node = folder == AT_FDCWD ? NULL : node_of(folder);
	const char *base = folder == AT_FDCWD ? fake.folder : node ? node->path : "?";

	if (name[0] == '/')
		snprintf(path, 200, "%s", name);
	else if (strcmp(base, "/") == 0)
		snprintf(path, 200, "/%s", name);
	else
		snprintf(path, 200, "%.90s/%.100s", base, name);
	if (strcmp(path, "/..") == 0 || strcmp(path, "/.") == 0)
		snprintf(path, 200, "/");
	return path;
}

/* In a new root there is nothing but the root. */
static struct fake_node *look_up(const char *path)
{
	return fake.rooted && strcmp(path, "/") != 0 ? NULL : fake_node(path);
}

static void fill(const struct fake_node *node, struct stat *stat)
{
	memset(stat, 0, sizeof *stat);
	stat->st_dev = fake.rooted && strcmp(node->path, "/") == 0 ? 2 : 1;
	stat->st_ino = node->inode;
	stat->st_mode = node->mode;
	stat->st_uid = node->uid;
	stat->st_gid = node->gid;
	stat->st_nlink = 1;
	stat->st_size = (off_t)node->length;
}

int sys_fill_stdio(void)
{
	return enter("fill_stdio", " ") ? -1 : 0;
}

int sys_close_others(const int *keep, size_t count)
{
	size_t next = 0;

	if (enter("close_others", "%zu kept", count))
		return -1;
	for (int fd = 3; fd < FAKE_FDS; fd++) {
		while (next < count && keep[next] < fd)
			next++;
		if (next == count || keep[next] != fd)
			fake.fds[fd].open = false;
	}
	return 0;
}

int sys_dup_to(int fd, int target)
{
	(void)fd;
	return enter("dup_to", "%d", target) ? -1 : 0;
}

int sys_dup(int fd)
{
	return enter("dup", "%d", fd) ? -1 : new_fd(NULL, "copy");
}

int sys_close_on_exec(int fd)
{
	if (enter("close_on_exec", "%d", fd))
		return -1;
	return fake.fds[fd].open ? 0 : fail(EBADF);
}

int sys_keep_on_exec(int fd)
{
	if (enter("keep_on_exec", "%d", fd))
		return -1;
	return fake.fds[fd].open ? 0 : fail(EBADF);
}

bool sys_is_open(int fd)
{
	return fd < FAKE_FDS && fake.fds[fd].open;
}

void sys_close(int fd)
{
	if (fd >= 0 && fd < FAKE_FDS)
		fake.fds[fd].open = false;
}

static int open_path(const char *path, int flags)
{
	struct fake_node *node = look_up(path);

	if (!node && !(flags & O_CREAT))
		return fail(ENOENT);
	if (!node)
		return new_fd(fake_add(path, S_IFREG | 0600), path);
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return fail(EEXIST);
	if (S_ISLNK(node->mode) && (flags & O_NOFOLLOW))
		return fail((flags & O_DIRECTORY) ? ENOTDIR : ELOOP);
	if ((flags & O_DIRECTORY) && !S_ISDIR(node->mode) && !S_ISLNK(node->mode))
		return fail(ENOTDIR);
	return new_fd(node, path);
}

int sys_open(const char *path, int flags, mode_t mode)
{
	char full[200];

	(void)mode;
	if (enter("open", "%s", path))
		return -1;
	return open_path(join(AT_FDCWD, path, full), flags);
}

int sys_open_at(int folder, const char *name, int flags, mode_t mode)
{
	char path[200];

	(void)mode;
	join(folder, name, path);
	return enter("open_at", "%s", path) ? -1 : open_path(path, flags);
}

int sys_try_open(const char *path, int flags)
{
	return enter("try_open", "%s", path) ? -1 : open_path(path, flags);
}

int sys_pipe(int ends[2])
{
	if (enter("pipe", " "))
		return -1;
	ends[0] = new_fd(NULL, "pipe");
	ends[1] = new_fd(NULL, "pipe");
	return 0;
}

void sys_pipe_size(int fd, int bytes)
{
	(void)fd;
	(void)bytes;
}

int sys_channel(int ends[2])
{
	if (enter("channel", " "))
		return -1;
	ends[0] = new_fd(NULL, "channel");
	ends[1] = new_fd(NULL, "channel");
	return 0;
}

void sys_refuse_descriptors(int fd)
{
	(void)fd;
}

int sys_memfd_sealed(const char *name, const void *bytes, size_t length)
{
	(void)bytes;
	return enter("memfd_sealed", "%s, %zu", name, length) ? -1 : new_fd(NULL, name);
}

int sys_open_self(void)
{
	return enter("open_self", " ") ? -1 : new_fd(NULL, "self");
}

int sys_self_path(char *path, size_t size)
{
	if (enter("self_path", " "))
		return -1;
	snprintf(path, size, "/usr/bin/luvd");
	return 0;
}

int sys_stat(int fd, struct stat *stat)
{
	static const struct fake_node other = {.mode = S_IFIFO | 0600, .inode = 9999};
	struct fake_node *node = node_of(fd);

	if (enter("stat", "%s", fd >= 0 && fd < FAKE_FDS ? fake.fds[fd].path : "?"))
		return -1;
	if (fd > 2 && (fd >= FAKE_FDS || !fake.fds[fd].open))
		return fail(EBADF);
	fill(node ? node : &other, stat);
	return 0;
}

int sys_stat_at(int folder, const char *name, struct stat *stat)
{
	char path[200];
	struct fake_node *node = look_up(join(folder, name, path));

	if (enter("stat_at", "%s", path))
		return -1;
	if (!node)
		return fail(ENOENT);
	fill(node, stat);
	return 0;
}

int sys_mkdir_at(int folder, const char *name, mode_t mode)
{
	char path[200];

	if (enter("mkdir_at", "%s, %04o", join(folder, name, path), (unsigned)mode))
		return -1;
	if (look_up(path))
		return fail(EEXIST);
	fake_add(path, S_IFDIR | mode);
	return 0;
}

int sys_chmod(int fd, mode_t mode)
{
	struct fake_node *node = node_of(fd);

	if (enter("chmod", "%s, %04o", node ? node->path : "?", (unsigned)mode))
		return -1;
	node->mode = (node->mode & S_IFMT) | mode;
	return 0;
}

int sys_chown(int fd, uid_t uid, gid_t gid)
{
	struct fake_node *node = node_of(fd);

	if (enter("chown", "%s, %u:%u", node ? node->path : "?", (unsigned)uid, (unsigned)gid))
		return -1;
	node->uid = uid;
	node->gid = gid;
	return 0;
}

int sys_lock(int fd)
{
	struct fake_node *node = node_of(fd);

	if (enter("lock", "%s", node->path))
		return -1;
	return node->locked ? fail(EWOULDBLOCK) : 0;
}

int sys_lock_held(int fd)
{
	return node_of(fd)->locked;
}

int sys_truncate(int fd)
{
	struct fake_node *node = node_of(fd);

	if (enter("truncate", "%s", node->path))
		return -1;
	node->length = 0;
	return 0;
}

int sys_write_at_start(int fd, const void *bytes, size_t length)
{
	struct fake_node *node = node_of(fd);

	if (enter("write_at_start", "%s", node->path))
		return -1;
	memcpy(node->text, bytes, length);
	node->length = length;
	return 0;
}

static void write_status(struct fake_node *node)
{
	const struct sys_ids *ids = &fake.ids;
	const struct sys_capabilities *c = &fake.capabilities;
	char *to = node->text;
	size_t size = sizeof node->text;
	int n = snprintf(to, size,
			 "Name:\tluvd\nUmask:\t%04o\nUid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n"
			 "FDSize:\t%d\nGroups:\t",
			 (unsigned)fake.umask, ids->uid[0], ids->uid[1], ids->uid[2], ids->uid[1],
			 ids->gid[0], ids->gid[1], ids->gid[2], ids->gid[1], FAKE_FDS);

	for (size_t i = 0; i < ids->group_count; i++)
		n += snprintf(to + n, size - (size_t)n, "%u ", ids->groups[i]);
	n += snprintf(to + n, size - (size_t)n,
		      "\nThreads:\t%d\nSigBlk:\t%016x\nSigIgn:\t0000000000001000\n"
		      "CapInh:\t%016" PRIx64 "\nCapPrm:\t%016" PRIx64 "\nCapEff:\t%016" PRIx64
		      "\nCapBnd:\t%016" PRIx64 "\nCapAmb:\t%016" PRIx64 "\nNoNewPrivs:\t%d\n",
		      fake.threads, fake.blocked ? 0x4a07 : 0, c->inheritable, c->permitted,
		      c->effective, c->bounding, c->ambient, fake.no_new_privs);
	node->length = (size_t)n;
}

ssize_t sys_read_from_start(int fd, void *bytes, size_t size)
{
	struct fake_node *node = node_of(fd);
	size_t length;

	if (enter("read_from_start", "%s", node->path))
		return -1;
	if (strcmp(node->path, "/proc/self/status") == 0)
		write_status(node);
	length = node->length < size ? node->length : size;
	memcpy(bytes, node->text, length);
	return (ssize_t)length;
}

int sys_rename_at(int folder, const char *from, const char *to)
{
	char a[200], b[200];
	struct fake_node *node = look_up(join(folder, from, a));
	struct fake_node *other = look_up(join(folder, to, b));

	if (enter("rename_at", "%s, %s", a, b))
		return -1;
	if (!node)
		return fail(ENOENT);
	if (other)
		other->linked = false;
	snprintf(node->path, sizeof node->path, "%s", b);
	return 0;
}

int sys_remove_at(int folder, const char *name)
{
	char path[200];
	struct fake_node *node = look_up(join(folder, name, path));

	if (enter("remove_at", "%s", path))
		return -1;
	if (!node)
		return fail(ENOENT);
	node->linked = false;
	return 0;
}

static bool is_empty(const struct fake_node *folder)
{
	size_t length = strlen(folder->path);

	for (int i = 0; i < FAKE_NODES; i++)
		if (fake.nodes[i].inode && fake.nodes[i].linked &&
		    strncmp(fake.nodes[i].path, folder->path, length) == 0 &&
		    fake.nodes[i].path[length] == '/')
			return false;
	return true;
}

void sys_discard(const char *path, dev_t device, ino_t inode)
{
	struct fake_node *node = look_up(path);

	enter("discard", "%s", path);
	if (node && device == 1 && node->inode == inode && (!S_ISDIR(node->mode) || is_empty(node)))
		node->linked = false;
}

void sys_discard_folder(const char *path)
{
	sys_discard_folder_at(AT_FDCWD, path);
}

void sys_discard_folder_at(int folder, const char *name)
{
	char path[200];
	struct fake_node *node = look_up(join(folder, name, path));

	enter("discard_folder", "%s", path);
	if (node && S_ISDIR(node->mode) && is_empty(node))
		node->linked = false;
}

void sys_discard_at(int folder, const char *name)
{
	char path[200];
	struct fake_node *node = look_up(join(folder, name, path));

	enter("discard_at", "%s", path);
	if (node && !S_ISDIR(node->mode))
		node->linked = false;
}

/* --- sockets --- */

static const char *path_of(const struct sockaddr *address)
{
	return address->sa_family == AF_UNIX ? ((const struct sockaddr_un *)address)->sun_path
					     : "tcp";
}

int sys_socket(int domain, int type)
{
	int fd;

	if (enter("socket", "%s", domain == AF_UNIX ? "unix" : "tcp"))
		return -1;
	fd = new_fd(NULL, "socket");
	fake.fds[fd].domain = domain;
	fake.fds[fd].type = type;
	return fd;
}

int sys_socket_set(int fd, int level, int option, int value)
{
	(void)fd;
	(void)level;
	return enter("socket_set", "%s, %d",
		     level == SOL_SOCKET && option == SO_REUSEADDR ? "reuseaddr"
		     : level == SOL_SOCKET && option == SO_RCVBUF  ? "rcvbuf"
								   : "v6only",
		     value)
		   ? -1
		   : 0;
}

int sys_socket_get(int fd, int level, int option, int *value)
{
	if (enter("socket_get", "%d, %d", level, option))
		return -1;
	*value = option == SO_TYPE     ? fake.fds[fd].type
		 : option == SO_DOMAIN ? fake.fds[fd].domain
				       : fake.fds[fd].listening;
	return 0;
}

int sys_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	(void)fd;
	(void)length;
	return enter("bind", "%s", path_of(address)) ? -1 : 0;
}

int sys_bind_file(int fd, const struct sockaddr *address, socklen_t length, mode_t mode)
{
	struct fake_node *node;

	(void)length;
	if (enter("bind_file", "%s, %04o", path_of(address), (unsigned)mode))
		return -1;
	if (look_up(path_of(address)))
		return fail(EADDRINUSE);
	node = fake_add(path_of(address), S_IFSOCK | mode);
	fake.fds[fd].node = (int)(node - fake.nodes);
	return 0;
}

int sys_listen(int fd, int backlog)
{
	(void)fd;
	return enter("listen", "%d", backlog) ? -1 : 0;
}

int sys_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct fake_node *node = look_up(path_of(address));

	(void)fd;
	(void)length;
	if (enter("connect", "%s", path_of(address)))
		return -1;
	if (!node)
		return fail(ENOENT);
	return node->listening ? 0 : fail(ECONNREFUSED);
}

int sys_socket_name(int fd, struct sockaddr_storage *address, socklen_t *length)
{
	struct sockaddr_in *in = (struct sockaddr_in *)address;

	if (enter("socket_name", " "))
		return -1;
	memset(address, 0, sizeof *address);
	if (fake.fds[fd].domain == AF_UNIX) {
		address->ss_family = AF_UNIX;
		*length = sizeof(sa_family_t);
		return 0;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(8080);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*length = sizeof *in;
	return 0;
}

int sys_notify_socket(const struct sockaddr *address, socklen_t length)
{
	const char *path = path_of(address);

	(void)length;
	return enter("notify_socket", "%s", path[0] ? path : path + 1) ? -1
								       : new_fd(NULL, "notify");
}

/* --- signals --- */

int sys_signals_reset(void)
{
	return enter("signals_reset", " ") ? -1 : 0;
}

int sys_signals_block(void)
{
	if (enter("signals_block", " "))
		return -1;
	fake.blocked = true;
	return 0;
}

int sys_signals_block_all(void)
{
	if (enter("signals_block_all", " "))
		return -1;
	fake.blocked = true;
	return 0;
}

int sys_signal_pending(pid_t *sender)
{
	int number = fake.pending;

	fake.pending = 0;
	*sender = 4711;
	return number;
}

int sys_signal_fd(void)
{
	return enter("signal_fd", " ") ? -1 : new_fd(NULL, "signals");
}

int sys_signal_handle(int number, void (*handler)(int, siginfo_t *, void *))
{
	(void)handler;
	return enter("signal_handle", "%d", number) ? -1 : 0;
}

int sys_signals_unblock(void)
{
	return enter("signals_unblock", " ") ? -1 : 0;
}

/* --- processes --- */

pid_t sys_fork(void)
{
	if (enter("fork", " "))
		return -1;
	if (fake.forks[fake.fork_count] == 0)
		fake.pid++;
	return fake.forks[fake.fork_count++];
}

int sys_setsid(void)
{
	return enter("setsid", " ") ? -1 : 0;
}

int sys_subreaper(void)
{
	return enter("subreaper", " ") ? -1 : 0;
}

pid_t sys_wait(pid_t pid, int *status, int options)
{
	(void)options;
	enter("wait", "%d", (int)pid);
	*status = 0;
	return pid;
}

int sys_kill(pid_t pid, int number)
{
	enter("kill", "%d, %d", (int)pid, number);
	return pid == fake.pid || pid == 4711 ? 0 : fail(ESRCH);
}

int sys_pidfd_open(pid_t pid)
{
	(void)pid;
	return fail(ENOSYS);
}

int sys_pidfd_signal(int pidfd, int number)
{
	(void)pidfd;
	(void)number;
	return fail(ENOSYS);
}

void sys_exit(int code)
{
	enter("exit", "%d", code);
	longjmp(*fake.on_exit, 1);
}

pid_t sys_spawn_self(int self_fd, char *const arguments[], int in, int out, int error)
{
	(void)self_fd;
	(void)arguments;
	(void)in;
	(void)out;
	(void)error;
	return fail(ENOSYS);
}

pid_t sys_spawn_worker(int self_fd, char *const arguments[], const int *fds, size_t count,
		       int group_fd)
{
	(void)self_fd;
	(void)arguments;
	(void)fds;
	(void)count;
	(void)group_fd;
	return fail(ENOSYS);
}

int sys_cgroup_make(int folder, const char *name)
{
	(void)folder;
	(void)name;
	return fail(ENOSYS);
}

int sys_cgroup_kill(int folder, const char *name)
{
	(void)folder;
	(void)name;
	return fail(ENOSYS);
}

int sys_cgroup_remove(int folder, const char *name)
{
	(void)folder;
	(void)name;
	return fail(ENOSYS);
}

int sys_execute(int fd, char *const arguments[])
{
	(void)arguments;
	return enter("execute", "%d", fd) ? -1 : fail(ENOEXEC);
}

int sys_limit_child(pid_t pid, int resource, rlim_t value)
{
	return enter("limit_child", "%d %d %llu", (int)pid, resource, (unsigned long long)value)
		   ? -1
		   : 0;
}

int sys_parent_death_signal(int number)
{
	return enter("parent_death_signal", "%d", number) ? -1 : 0;
}

pid_t sys_parent(void)
{
	return fake.parent;
}

pid_t sys_pid(void)
{
	return fake.pid;
}

uint64_t sys_started(pid_t pid)
{
	return pid == fake.pid || pid == 4711 ? 77 : 0;
}

void sys_sleep(int milliseconds)
{
	enter("sleep", "%d", milliseconds);
}

/* --- this process --- */

bool sys_is_set_uid(void)
{
	return fake.set_uid;
}

char **sys_environment(void)
{
	return fake.environment;
}

void sys_environment_wipe(void)
{
	enter("environment_wipe", " ");
}

void sys_environment_set(char **environment)
{
	enter("environment_set", "%s", environment && environment[0] ? environment[0] : "");
}

void sys_title(char **arguments, const char *title)
{
	(void)arguments;
	enter("title", "%s", title);
}

int sys_name(const char *name)
{
	return enter("name", "%s", name) ? -1 : 0;
}

mode_t sys_umask(mode_t mask)
{
	mode_t before = fake.umask;

	enter("umask", "%03o", (unsigned)mask);
	fake.umask = mask;
	return before;
}

int sys_chdir(const char *path)
{
	char full[200];
	const struct fake_node *node = look_up(join(AT_FDCWD, path, full));

	if (enter("chdir", "%s", path))
		return -1;
	if (!node)
		return fail(ENOENT);
	snprintf(fake.folder, sizeof fake.folder, "%s", full);
	return 0;
}

int sys_working_directory(char *path, size_t size)
{
	if (enter("working_directory", " "))
		return -1;
	snprintf(path, size, "%s", fake.folder);
	return 0;
}

int sys_oom_score(int score)
{
	return enter("oom_score", "%d", score) ? -1 : 0;
}

void sys_warm_time(void)
{
	enter("warm_time", " ");
}

void sys_warm_names(uid_t uid, gid_t gid)
{
	enter("warm_names", "%u, %u", (unsigned)uid, (unsigned)gid);
}

const char *sys_preload(const char *path)
{
	return enter("preload", "%s", path) ? "no such module" : NULL;
}

int sys_cpus(void)
{
	return 2;
}

/* --- limits and priority --- */

int sys_limit_get(int resource, struct rlimit *limit)
{
	if (enter("limit_get", "%d", resource))
		return -1;
	limit->rlim_cur = limit->rlim_max = fake.limits[resource];
	return 0;
}

int sys_limit_set(int resource, rlim_t value)
{
	if (enter("limit_set", "%d, %ju", resource, (uintmax_t)value))
		return -1;
	if (value > fake.limits[resource])
		return fail(EPERM);
	fake.limits[resource] = value;
	return 0;
}

int sys_nice(int nice)
{
	return enter("nice", "%d", nice) ? -1 : 0;
}

int sys_io_priority(int class, int level)
{
	return enter("io_priority", "%d, %d", class, level) ? -1 : 0;
}

int sys_affinity(const int *cpus, size_t count)
{
	(void)cpus;
	return enter("affinity", "%zu", count) ? -1 : 0;
}

/* --- identity and confinement --- */

int sys_chroot(const char *path)
{
	if (enter("chroot", "%s", path))
		return -1;
	fake.rooted = true;
	return 0;
}

int sys_groups_set(const gid_t *groups, size_t count)
{
	if (enter("groups_set", "%zu", count))
		return -1;
	fake.ids.group_count = count;
	if (count)
		memcpy(fake.ids.groups, groups, count * sizeof *groups);
	return 0;
}

int sys_gid_set(gid_t gid)
{
	if (enter("gid_set", "%u", (unsigned)gid))
		return -1;
	fake.ids.gid[0] = fake.ids.gid[1] = fake.ids.gid[2] = gid;
	return 0;
}

int sys_uid_set(uid_t uid)
{
	struct sys_capabilities *c = &fake.capabilities;

	if (enter("uid_set", "%u", (unsigned)uid))
		return -1;
	fake.ids.uid[0] = fake.ids.uid[1] = fake.ids.uid[2] = uid;
	if (uid != 0) {
		c->effective = c->ambient = 0;
		c->permitted = fake.keep ? c->permitted : 0;
	}
	return 0;
}

int sys_ids(struct sys_ids *ids)
{
	if (enter("ids", " "))
		return -1;
	*ids = fake.ids;
	return 0;
}

int sys_regain_uid(uid_t uid)
{
	enter("regain_uid", "%u", (unsigned)uid);
	return fake.returnable ? 0 : fail(EPERM);
}

int sys_regain_gid(gid_t gid)
{
	enter("regain_gid", "%u", (unsigned)gid);
	return fail(EPERM);
}

int sys_capabilities(struct sys_capabilities *capabilities)
{
	if (enter("capabilities", " "))
		return -1;
	*capabilities = fake.capabilities;
	return 0;
}

int sys_capabilities_set(uint64_t mask)
{
	struct sys_capabilities *c = &fake.capabilities;

	if (enter("capabilities_set", "%" PRIx64, mask))
		return -1;
	if (mask & ~c->permitted)
		return fail(EPERM);
	c->effective = c->permitted = c->inheritable = c->ambient = mask;
	return 0;
}

int sys_bounding_set(uint64_t mask)
{
	if (enter("bounding_set", "%" PRIx64, mask))
		return -1;
	fake.capabilities.bounding &= mask;
	return 0;
}

int sys_keep_capabilities(bool keep)
{
	if (enter("keep_capabilities", "%d", keep))
		return -1;
	fake.keep = keep;
	return 0;
}

const char *sys_capability_name(int capability)
{
	switch (capability) {
	case CAPABILITY_CHOWN:
		return "chown";
	case CAPABILITY_DAC_OVERRIDE:
		return "dac_override";
	case CAPABILITY_DAC_READ_SEARCH:
		return "dac_read_search";
	case CAPABILITY_FOWNER:
		return "fowner";
	case CAPABILITY_KILL:
		return "kill";
	case CAPABILITY_SETPCAP:
		return "setpcap";
	case CAPABILITY_SETUID:
		return "setuid";
	case CAPABILITY_SETGID:
		return "setgid";
	case CAPABILITY_SYS_CHROOT:
		return "sys_chroot";
	case CAPABILITY_NET_BIND_SERVICE:
		return "net_bind_service";
	case CAPABILITY_SYS_NICE:
		return "sys_nice";
	case CAPABILITY_SYS_RESOURCE:
		return "sys_resource";
	default:
		return "another";
	}
}

int sys_dumpable(bool dumpable)
{
	if (enter("dumpable", "%d", dumpable))
		return -1;
	fake.dumpable = dumpable;
	return 0;
}

int sys_is_dumpable(void)
{
	return enter("is_dumpable", " ") ? -1 : fake.dumpable;
}

int sys_no_new_privs(void)
{
	if (enter("no_new_privs", " "))
		return -1;
	fake.no_new_privs = true;
	return 0;
}

int sys_has_no_new_privs(void)
{
	return enter("has_no_new_privs", " ") ? -1 : fake.no_new_privs;
}

int sys_open_status(void)
{
	return enter("open_status", " ") ? -1 : new_fd(fake_node("/proc/self/status"), "status");
}

/* --- the beginning --- */

static void add_files(void)
{
	static const char *const folders[] = {"/",
					      "/run",
					      "/tmp",
					      "/var",
					      "/var/lib",
					      "/var/cache",
					      "/var/log",
					      "/srv",
					      "/dev",
					      "/tmp/luvd-1000",
					      "/tmp/luvd-1000/run",
					      "/tmp/luvd-1000/var",
					      "/tmp/luvd-1000/var/log"};

	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		fake_add(folders[i], S_IFDIR | 0755);
	fake_add("/dev/null", S_IFCHR | 0666);
	fake_add("/dev/log", S_IFSOCK | 0666)->listening = true;
	fake_add("/proc/self/status", S_IFREG | 0444);
}

void fake_reset(bool root)
{
	static char *none[] = {NULL};
	uint64_t all = root ? UINT64_C(0x1ffffffffff) : 0;
	unsigned id = root ? 0 : 1000;

	memset(&fake, 0, sizeof fake);
	fake.refuse_at = -1;
	fake.environment = none;
	fake.pid = 100;
	fake.parent = 99;
	fake.umask = 022;
	fake.dumpable = true;
	fake.threads = 1;
	snprintf(fake.folder, sizeof fake.folder, "/");
	for (int i = 0; i < 3; i++) {
		fake.ids.uid[i] = id;
		fake.ids.gid[i] = id;
		fake.fds[i].open = true;
		fake.fds[i].node = -1;
	}
	/* What a hostile launcher leaves. */
	fake.ids.groups[0] = 4;
	fake.ids.groups[1] = 24;
	fake.ids.group_count = 2;
	fake.capabilities = (struct sys_capabilities){all, all, 0, UINT64_C(0x1ffffffffff), 0};
	for (int i = 0; i < 32; i++)
		fake.limits[i] = 20000;
	add_files();
}

static void give(int fd, int domain, int type)
{
	memset(&fake.fds[fd], 0, sizeof fake.fds[fd]);
	fake.fds[fd].open = true;
	fake.fds[fd].node = -1;
	fake.fds[fd].domain = domain;
	fake.fds[fd].type = type;
	fake.fds[fd].listening = type == SOCK_STREAM;
}

void fake_worker(size_t listeners, size_t files)
{
	give(3, AF_UNIX, SOCK_SEQPACKET);
	give(5, 0, 0);
	for (size_t i = 0; i < listeners; i++)
		give(6 + (int)i, AF_INET, SOCK_STREAM);
	for (size_t i = 0; i < files; i++)
		give(6 + (int)(listeners + i), 0, 0);
	give(20, 0, 0);
}

void fake_refuse(const char *name, int nth, int code)
{
	fake.refuse_name = name;
	fake.refuse_nth = nth;
	fake.refuse_code = code;
}
