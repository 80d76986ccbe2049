/* The launcher nobody wants: runs a program with everything that a careless parent may leave to
 * its child. What of it shows in the service is the host's fault.
 *
 *   hostile [-c] [-s SECRET] PROGRAM ARGUMENT...
 *
 *   -c  also closes descriptors 0, 1 and 2
 *   -s  the file that descriptors 7, 50 and 1500 refer to (/etc/shadow)
 *
 * Groups 4, 24 and 46 are added when it runs as root. */

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const int blocked[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGTERM, SIGCHLD, SIGALRM, 34, 40, 64};
static const int ignored[] = {SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGCHLD, SIGTSTP, SIGXFSZ, 35};
static const int leaked[] = {7, 50, 1500};

static char *dirty[] = {
    "PATH=/tmp/evil:/bin",
    "IFS=x",
    "SECRET=hunter2",
    "HOME=/nonexistent",
    "TZ=../../etc/passwd",
    "LUA_INIT=error('LUA_INIT was evaluated')",
    "LUA_INIT_5_4=error('LUA_INIT was evaluated')",
    "LUA_PATH=/tmp/evil/?.lua",
    "LUA_CPATH=/tmp/evil/?.so",
    "LISTEN_FDS=3",
    "LISTEN_PID=1",
    "LISTEN_FDNAMES=a:b:c",
    "WATCHDOG_PID=1",
    "WATCHDOG_USEC=1000",
    "BASH_ENV=/tmp/evil/env",
    "no equals sign",
    NULL,
};

static void groups(void)
{
	const gid_t extra[] = {4, 24, 46};

	if (geteuid() == 0 && setgroups(3, extra) == -1)
		err(125, "setgroups");
}

static void descriptors(const char *secret)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(125, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(125, "setrlimit");
	const int fd = open(secret, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		err(125, "%s", secret);
	for (size_t i = 0; i < sizeof(leaked) / sizeof(leaked[0]); i++)
		if (dup2(fd, leaked[i]) == -1)
			err(125, "dup2 %d", leaked[i]);
}

static void signals(void)
{
	sigset_t set;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			err(125, "signal %d", ignored[i]);
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
		sigaddset(&set, blocked[i]);
	if (sigprocmask(SIG_SETMASK, &set, NULL) == -1)
		err(125, "sigprocmask");
}

int main(int argc, char **argv)
{
	const char *secret = "/etc/shadow";
	bool closed = false;

	for (int option; (option = getopt(argc, argv, "+cs:")) != -1;) {
		if (option == 'c')
			closed = true;
		else if (option == 's')
			secret = optarg;
		else
			return 125;
	}
	if (optind == argc)
		return 125;
	groups();
	descriptors(secret);
	signals();
	umask(0);
	for (int fd = 0; closed && fd < 3; fd++)
		close(fd);
	execve(argv[optind], argv + optind, dirty);
	err(126, "%s", argv[optind]);
}
