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

/* The only door to the kernel for calls that change this process or what lies outside it.
 * posix.c holds what systems share, linux.c and freebsd.c the rest; what a system lacks
 * returns -1 with ENOSYS. spec/unit/sys_fake.c is the recording kernel of the tests. All return
 * -1 with errno set on failure unless said otherwise. No call here allocates.
 *
 * The comment of each function ends with its mark and the system calls behind it:
 *   required: its failure ends the start;  optional: a warning;  ignored: nobody looks. */

/* --- descriptors --- */

/* Opens /dev/null on each of 0, 1, 2 that is closed. required: openat(2). */
int sys_fill_stdio(void);
/* Closes every descriptor above 2 that is not in keep (ascending). required: close_range(2). */
int sys_close_others(const int *keep, size_t count);
/* required: dup2(2), dup3(2). */
int sys_dup_to(int fd, int target);
/* close(2) without a look at the result: after EINTR Linux has closed it. ignored: close(2). */
void sys_close(int fd);
/* openat(2) with O_CLOEXEC | O_NOCTTY added. required: openat(2). */
int sys_open(const char *path, int flags, mode_t mode);
int sys_open_at(int folder, const char *name, int flags, mode_t mode);
/* A pipe, both ends close-on-exec. required: pipe2(2). */
int sys_pipe(int ends[2]);
/* A pair of SOCK_SEQPACKET sockets, close-on-exec. required: socketpair(2). */
int sys_channel(int ends[2]);
/* Copies bytes into a sealed memfd (grow, shrink, write, seal). required: memfd_create(2),
 * write(2), fcntl(2). */
int sys_memfd_sealed(const char *name, const void *bytes, size_t length);
/* Our own executable, as it is mapped now. required: openat(2). */
int sys_open_self(void);

/* --- signals --- */

/* Dispositions 1 to 31 to their default and an empty mask. required: rt_sigaction(2),
 * rt_sigprocmask(2). */
int sys_signals_reset(void);
/* Blocks HUP INT QUIT TERM USR1 USR2: from here on they wait. required: rt_sigprocmask(2). */
int sys_signals_block(void);
/* Takes one waiting signal of stop kind (HUP, INT, QUIT, TERM); 0: none; else its number, sender's
 * pid in *sender. Never blocks. ignored: rt_sigtimedwait(2). */
int sys_signal_pending(pid_t *sender);
/* A descriptor that becomes readable for the blocked signals (signalfd(2)). required: signalfd4(2).
 */
int sys_signal_fd(void);
/* An SA_SIGINFO | SA_RESTART handler. NULL: ignored. required: rt_sigaction(2). */
int sys_signal_handle(int number, void (*handler)(int, siginfo_t *, void *));
/* Empties the mask. required: rt_sigprocmask(2). */
int sys_signals_unblock(void);

/* --- processes --- */

/* required: clone(2). */
pid_t sys_fork(void);
/* required: setsid(2). */
int sys_setsid(void);
/* Orphans of our descendants become our children. required: prctl(2). */
int sys_subreaper(void);
/* waitpid(2), retried on EINTR; options as there. ignored: wait4(2). */
pid_t sys_wait(pid_t pid, int *status, int options);
int sys_kill(pid_t pid, int number);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_signal(int pidfd, int number);
/* _exit(2): no atexit handlers, no flush. */
void sys_exit(int code) __attribute__((noreturn));
/* Executes the file behind self_fd anew in a child: arguments, an empty environment, descriptors
 * 0, 1 and 2 as given and nothing else, default signals. Returns its pid. required: clone(2). */
pid_t sys_spawn_self(int self_fd, char *const arguments[], int in, int out, int error);

/* The plan helper adds: umask, chdir, title, locks, files, folders, sockets, limits, priority,
 * affinity, oom score, chroot, identity, capabilities, dumpable, no_new_privs, /proc reading. */

#endif
