#ifndef LUVD_SYS_SYS_H
#define LUVD_SYS_SYS_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* The only door to the kernel for calls that change this process or what lies outside it.
 * posix.c holds what systems share, linux.c and freebsd.c the rest; what a system lacks
 * returns -1 with ENOSYS. spec/unit/sys_fake.c is the recording kernel of the tests. All return
 * -1 with errno set on failure unless said otherwise. No call here allocates.
 *
 * The comment of each function ends with its mark and the system calls behind it, as a trace on
 * x86-64 Linux names them:
 *   required: its failure ends the start;  optional: a warning;  ignored: nobody looks.
 * A mark holds for all prototypes up to the next comment. */

/* --- descriptors --- */

/* Opens /dev/null on each of 0, 1, 2 that is closed. required: openat(2). */
int sys_fill_stdio(void);
/* Closes every descriptor above 2 that is not in keep (ascending). required: close_range(2). */
int sys_close_others(const int *keep, size_t count);
/* dup2(2): the copy stays open across execution. required: dup2(2). */
int sys_dup_to(int fd, int target);
/* A copy above 2, close-on-exec. required: fcntl(2). */
int sys_dup(int fd);
/* Sets close-on-exec. required: fcntl(2). */
int sys_close_on_exec(int fd);
/* Clears it: for the image that is executed in our place. required: fcntl(2). */
int sys_keep_on_exec(int fd);
/* Is this descriptor open? ignored: fcntl(2). */
bool sys_is_open(int fd);
/* close(2) without a look at the result: after EINTR Linux has closed it. ignored: close(2). */
void sys_close(int fd);
/* openat(2) with O_CLOEXEC | O_NOCTTY added. required: openat(2). */
int sys_open(const char *path, int flags, mode_t mode);
int sys_open_at(int folder, const char *name, int flags, mode_t mode);
/* The same for a file that may be missing or refused: nobody fails for it. ignored: openat(2). */
int sys_try_open(const char *path, int flags);
/* A pipe, both ends close-on-exec. required: pipe2(2). */
int sys_pipe(int ends[2]);
/* Gives a pipe room for so many bytes, where the kernel lets us. ignored: fcntl(2). */
void sys_pipe_size(int fd, int bytes);
/* A pair of SOCK_SEQPACKET sockets, close-on-exec. required: socketpair(2). */
int sys_channel(int ends[2]);
/* From now on nobody can pass descriptors to this unix socket, where the kernel knows how: closing
 * one may take as long as whoever passes it wishes. ignored: setsockopt(2). */
void sys_refuse_descriptors(int fd);
/* Copies bytes into a sealed memfd (grow, shrink, write, seal). required: memfd_create(2),
 * write(2), fcntl(2). */
int sys_memfd_sealed(const char *name, const void *bytes, size_t length);
/* Our own executable, as it is mapped now (O_PATH). required: openat(2). */
int sys_open_self(void);
/* Where that executable was found, closed by 0; " (deleted)" behind it is cut off: another file has
 * its name by now. required: readlink(2). */
int sys_self_path(char *path, size_t size);

/* --- files --- */

/* fstat(2). required: newfstatat(2). */
int sys_stat(int fd, struct stat *stat);
/* fstatat(2), links not followed. required: newfstatat(2). */
int sys_stat_at(int folder, const char *name, struct stat *stat);
/* required: mkdirat(2). */
int sys_mkdir_at(int folder, const char *name, mode_t mode);
/* required: fchmod(2). */
int sys_chmod(int fd, mode_t mode);
/* Also of an O_PATH descriptor: the very file that was looked at. required: fchownat(2). */
int sys_chown(int fd, uid_t uid, gid_t gid);
/* An exclusive lock of the open file description: flock(2), which keeps others out and outlives
 * fork(2), and an OFD lock, which others can ask for without taking it. EWOULDBLOCK: somebody
 * has it. required: flock(2), fcntl(2). */
int sys_lock(int fd);
/* Has somebody else sys_lock of this file? 1, 0, -1. ignored: fcntl(2). */
int sys_lock_held(int fd);
/* Makes the file empty. required: ftruncate(2). */
int sys_truncate(int fd);
/* All bytes, from the beginning of the file on. required: pwrite64(2). */
int sys_write_at_start(int fd, const void *bytes, size_t length);
/* Up to size bytes from the beginning of the file on; returns how many. required: pread64(2). */
ssize_t sys_read_from_start(int fd, void *bytes, size_t size);
/* Within one folder, replaces. required: renameat(2). */
int sys_rename_at(int folder, const char *from, const char *to);
/* required: unlinkat(2). */
int sys_remove_at(int folder, const char *name);
/* For undo: removes path if it still is the file (or the empty folder) with these numbers.
 * ignored: newfstatat(2), unlinkat(2). */
void sys_discard(const char *path, dev_t device, ino_t inode);
/* For undo: removes an empty folder. ignored: unlinkat(2). */
void sys_discard_folder(const char *path);
void sys_discard_folder_at(int folder, const char *name);
/* For undo: removes what was made a moment ago. ignored: unlinkat(2). */
void sys_discard_at(int folder, const char *name);

/* --- sockets --- */

/* Close-on-exec, non-blocking. required: socket(2). */
int sys_socket(int domain, int type);
/* required: setsockopt(2). */
int sys_socket_set(int fd, int level, int option, int value);
/* required: getsockopt(2). */
int sys_socket_get(int fd, int level, int option, int *value);
/* required: bind(2). */
int sys_bind(int fd, const struct sockaddr *address, socklen_t length);
/* Binds a unix socket whose file has exactly mode from its first moment on: on Linux the file
 * takes the mode of the unbound socket. required: fchmod(2), bind(2). */
int sys_bind_file(int fd, const struct sockaddr *address, socklen_t length, mode_t mode);
/* required: listen(2). */
int sys_listen(int fd, int backlog);
/* required: connect(2). */
int sys_connect(int fd, const struct sockaddr *address, socklen_t length);
/* required: getsockname(2). */
int sys_socket_name(int fd, struct sockaddr_storage *address, socklen_t *length);
/* A connected datagram socket, close-on-exec, non-blocking. optional: socket(2), connect(2). */
int sys_notify_socket(const struct sockaddr *address, socklen_t length);

/* --- signals --- */

/* Dispositions 1 to 31 and of the real-time signals to their default, and an empty mask. required:
 * rt_sigaction(2), rt_sigprocmask(2). */
int sys_signals_reset(void);
/* Blocks HUP INT QUIT TERM USR1 USR2: from here on they wait. required: rt_sigprocmask(2). */
int sys_signals_block(void);
/* Blocks all that can be: until another image has its handlers. required: rt_sigprocmask(2). */
int sys_signals_block_all(void);
/* Takes one waiting signal of stop kind (HUP, INT, QUIT, TERM); 0: none; else its number, sender's
 * pid in *sender. Never blocks. ignored: rt_sigtimedwait(2). */
int sys_signal_pending(pid_t *sender);
/* A descriptor that becomes readable while sys_signal_pending has one to take (signalfd(2)).
 * required: signalfd4(2).
 */
int sys_signal_fd(void);
/* The same two for all that sys_signals_block holds back, for who passes them on; *by_kernel: a
 * terminal's, which whoever it would be passed to has got too. ignored: rt_sigtimedwait(2). */
int sys_signal_pending_any(bool *by_kernel);
/* required: signalfd4(2). */
int sys_signal_fd_any(void);
/* An SA_SIGINFO | SA_RESTART handler. NULL: ignored. required: rt_sigaction(2). */
int sys_signal_handle(int number, void (*handler)(int, siginfo_t *, void *));
/* Empties the mask. required: rt_sigprocmask(2). */
int sys_signals_unblock(void);
/* A timer of CLOCK_MONOTONIC that sends number to the calling thread and no other. optional:
 * timer_create(2). */
int sys_thread_timer(int number, timer_t *timer);

/* --- processes --- */

/* required: clone(2). */
pid_t sys_fork(void);
/* required: setsid(2). */
int sys_setsid(void);
/* Orphans of our descendants become our children. required: prctl(2). */
int sys_subreaper(void);
/* waitpid(2), retried on EINTR; options as there. ignored: wait4(2). */
pid_t sys_wait(pid_t pid, int *status, int options);
/* ignored: kill(2). */
int sys_kill(pid_t pid, int number);
/* ignored: pidfd_open(2). */
int sys_pidfd_open(pid_t pid);
/* ignored: pidfd_send_signal(2). */
int sys_pidfd_signal(int pidfd, int number);
/* _exit(2): no atexit handlers, no flush. ignored: exit_group(2). */
void sys_exit(int code) __attribute__((noreturn));
/* Executes the file behind self_fd anew in a child: arguments, an empty environment, descriptors
 * 0, 1 and 2 as given and nothing else, default signals. Returns its pid; the child exits with 127
 * when it cannot. required: clone(2). */
pid_t sys_spawn_self(int self_fd, char *const arguments[], int in, int out, int error);
/* The same with count descriptors as 0 to count - 1, open across execution: what a worker is
 * started with. Ends with 127 when it cannot, and 126 when one of them is not open. group_fd: it is
 * in this control group from its beginning (sys_cgroup_make), where that can be; -1: in ours.
 * required: clone(2). */
pid_t sys_spawn_worker(int self_fd, char *const arguments[], const int *fds, size_t count,
		       int group_fd);
/* Executes the file behind fd in our place: arguments, an empty environment, descriptors that are
 * not close-on-exec, the mask of signals and what waits behind it. Returns only when it cannot.
 * required: execveat(2). */
int sys_execute(int fd, char *const arguments[]);
/* A hard and soft limit of a child. optional: prlimit64(2). */
int sys_limit_child(pid_t pid, int resource, rlim_t value);
/* This process dies from number when the thread that made it ends; setresuid(2) clears it.
 * required: prctl(2). */
int sys_parent_death_signal(int number);
/* ignored: getppid(2). */
pid_t sys_parent(void);
/* ignored: getpid(2). */
pid_t sys_pid(void);
/* When process pid was started, in clock ticks since boot; with the pid it names a process for
 * good. 0: cannot tell. ignored: openat(2), read(2). */
uint64_t sys_started(pid_t pid);
/* The children of this process, ended ones that nobody has waited for among them: at most size are
 * written to list; returns how many. 0 also when it cannot tell. ignored: openat(2), read(2). */
size_t sys_children(pid_t *list, size_t size);
/* What process pid is called: the first 15 bytes of its program's name. -1: there is none, or it
 * has ended. ignored: openat(2), read(2). */
int sys_process_name(pid_t pid, char *name, size_t size);
/* The descriptors of this process: at most size are written to list; returns how many. 0 also when
 * it cannot tell. ignored: openat(2), getdents64(2). */
size_t sys_descriptors(int *list, size_t size);
/* What is behind a descriptor: a path, or "socket:[4711]", cut when it is longer. ignored:
 * readlink(2). */
int sys_descriptor_name(int fd, char *name, size_t size);
/* The session of a process, also of an ended one that nobody has waited for. ignored: getsid(2). */
pid_t sys_session(pid_t pid);
/* Makes a control group (by mkdirat) below the one of folder; a descriptor of it, close-on-exec.
 * ENOSYS: the kernel cannot kill groups. ignored: openat(2), faccessat2(2), unlinkat(2). */
int sys_cgroup_make(int folder, const char *name);
/* SIGKILL to all that is in it, by a write to a file of it. ignored: openat(2). */
int sys_cgroup_kill(int folder, const char *name);
/* EBUSY: somebody is in it. ignored: unlinkat(2). */
int sys_cgroup_remove(int folder, const char *name);
/* ignored: clock_nanosleep(2). */
void sys_sleep(int milliseconds);

/* --- this process --- */

/* Was it given privileges by its file (set-uid, set-gid, file capabilities)? ignored: getuid(2),
 * geteuid(2), getgid(2), getegid(2). */
bool sys_is_set_uid(void);
/* environ(7). ignored: none. */
char **sys_environment(void);
/* Overwrites the bytes of the environment with zeros and makes it empty. ignored: none. */
void sys_environment_wipe(void);
/* What getenv(3) reads from now on; environment stays the caller's. NULL: empty. ignored: none. */
void sys_environment_set(char **environment);
/* Writes title over the memory of main's arguments, cut to their length: what ps(1) shows.
 * ignored: none. */
void sys_title(char **arguments, const char *title);
/* The name of the thread, at most 15 bytes: what top(1) and pgrep(1) show. optional: prctl(2). */
int sys_name(const char *name);
/* Returns the mask before. ignored: umask(2). */
mode_t sys_umask(mode_t mask);
/* required: chdir(2). */
int sys_chdir(const char *path);
/* The working directory, closed by 0. required: getcwd(2). */
int sys_working_directory(char *path, size_t size);
/* From -1000 to 1000. required: openat(2), pwrite64(2). */
int sys_oom_score(int score);
/* Reads the time zone; TZ is fixed to ":/etc/localtime" when unset, so that nothing looks for it
 * again in a new root. ignored: openat(2), read(2). */
void sys_warm_time(void);
/* Lets the name service and the resolver load what they load on first use. ignored: openat(2),
 * read(2), socket(2), connect(2). */
void sys_warm_names(uid_t uid, gid_t gid);
/* Maps a C module for good. NULL, or dlerror(3)'s words. required: openat(2), mmap(2). */
const char *sys_preload(const char *path);
/* Gives memory that free(3) has kept back to the kernel, and the pages of programs and libraries
 * that were needed so far: those that are needed again come back. ignored: madvise(2), brk(2). */
void sys_trim_memory(void);
/* CPUs that this process may use, at least 1. ignored: sched_getaffinity(2). */
int sys_cpus(void);

/* --- limits and priority --- */

/* required: prlimit64(2). */
int sys_limit_get(int resource, struct rlimit *limit);
/* Soft and hard. required: prlimit64(2). */
int sys_limit_set(int resource, rlim_t value);
/* required: setpriority(2). */
int sys_nice(int nice);
/* Class and level of ioprio_set(2). required: ioprio_set(2). */
int sys_io_priority(int class, int level);
/* required: sched_setaffinity(2). */
int sys_affinity(const int *cpus, size_t count);

/* --- identity and confinement --- */

/* Numbers of capabilities(7) that luvd itself speaks of. */
enum {
	CAPABILITY_CHOWN = 0,
	CAPABILITY_DAC_OVERRIDE = 1,
	CAPABILITY_DAC_READ_SEARCH = 2,
	CAPABILITY_FOWNER = 3,
	CAPABILITY_KILL = 5,
	CAPABILITY_SETGID = 6,
	CAPABILITY_SETUID = 7,
	CAPABILITY_SETPCAP = 8,
	CAPABILITY_NET_BIND_SERVICE = 10,
	CAPABILITY_SYS_CHROOT = 18,
	CAPABILITY_SYS_NICE = 23,
	CAPABILITY_SYS_RESOURCE = 24,
	CAPABILITIES = 62 /* more than any kernel knows; the bits above have other uses */
};

struct sys_capabilities {
	uint64_t effective, permitted, inheritable, bounding, ambient;
};

enum { SYS_GROUPS_MAX = 1024 };

struct sys_ids {
	uid_t uid[3]; /* real, effective, saved */
	gid_t gid[3];
	gid_t groups[SYS_GROUPS_MAX];
	size_t group_count;
};

/* required: chroot(2). */
int sys_chroot(const char *path);
/* required: setgroups(2). */
int sys_groups_set(const gid_t *groups, size_t count);
/* Real, effective and saved. required: setresgid(2). */
int sys_gid_set(gid_t gid);
/* Real, effective and saved. required: setresuid(2). */
int sys_uid_set(uid_t uid);
/* Reads back who we are. required: getresuid(2), getresgid(2), getgroups(2). */
int sys_ids(struct sys_ids *ids);
/* Tries every way to get an id back; 0 when one worked, and then this process must end.
 * ignored: setuid(2), setresuid(2), setreuid(2). */
int sys_regain_uid(uid_t uid);
/* The same for a group. ignored: setgid(2), setresgid(2), setregid(2). */
int sys_regain_gid(gid_t gid);
/* required: capget(2), prctl(2). */
int sys_capabilities(struct sys_capabilities *capabilities);
/* Effective, permitted, inheritable and ambient become exactly mask (bits CAP_*); the bounding set
 * stays. required: capset(2), prctl(2). */
int sys_capabilities_set(uint64_t mask);
/* Takes all but mask out of the bounding set: no program executed later can have more.
 * required: prctl(2). */
int sys_bounding_set(uint64_t mask);
/* Shall permitted capabilities survive sys_uid_set? required: prctl(2). */
int sys_keep_capabilities(bool keep);
/* "net_bind_service", or "capability 99". ignored: none. */
const char *sys_capability_name(int capability);
/* Whether core dumps, ptrace(2) and /proc/PID of this process are open to others.
 * required: prctl(2). */
int sys_dumpable(bool dumpable);
/* 1, 0. required: prctl(2). */
int sys_is_dumpable(void);
/* Nothing executed from here on gains privileges; irrevocable. required: prctl(2). */
int sys_no_new_privs(void);
/* 1, 0. required: prctl(2). */
int sys_has_no_new_privs(void);
/* A file that tells about this process, as text, wherever its root is: /proc/self/status.
 * required: openat(2). */
int sys_open_status(void);

#endif
