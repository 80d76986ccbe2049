#include "host/crash.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "format.h"

enum { PATIENCE_MS = 500, STACK_SIZE = 32768 };

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum { FATAL = sizeof fatal / sizeof *fatal };

/* What the handler must reach; nothing else of the log is global. */
static struct {
	struct crash crash;
	bool ours[FATAL];
	volatile sig_atomic_t installed;
	atomic_int dying;
	char stack[STACK_SIZE];
} last;

/* A sanitizer ends the process without a signal; it calls this before. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

bool crash_waits(void)
{
	return atomic_load(&last.dying) != 0;
}

/* Never waits: what the sink does not take now is lost. */
static void emit(const char *bytes, size_t length)
{
	const struct crash *crash = &last.crash;
	struct pollfd sink = {.fd = crash->sink_fd, .events = POLLOUT};

	if (length == 0)
		return;
	if (crash->datagram) {
		struct iovec parts[] = {{(void *)(uintptr_t)crash->head, strlen(crash->head)},
					{(void *)(uintptr_t)bytes, length}};
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

		(void)!sendmsg(crash->sink_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
		return;
	}
	if (poll(&sink, 1, 0) == 1 && !(sink.revents & (POLLERR | POLLHUP | POLLNVAL)))
		(void)!write(crash->sink_fd, bytes, length);
}

/* Datagrams hold one line each; a stream takes the bytes as they are. */
static void emit_raw(const char *bytes, size_t length)
{
	const char *end = bytes + length;

	if (!last.crash.datagram) {
		emit(bytes, length);
		return;
	}
	while (bytes < end) {
		const char *line = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *stop = line ? line : end;

		emit(bytes, (size_t)(stop - bytes));
		bytes = stop + (line != NULL);
	}
}

static void drain(void)
{
	struct pollfd pipe_end = {.fd = last.crash.output_fd, .events = POLLIN};
	char bytes[1024];
	ssize_t n;

	while (pipe_end.fd >= 0 && poll(&pipe_end, 1, 0) == 1) {
		n = read(pipe_end.fd, bytes, sizeof bytes);
		if (n <= 0)
			return;
		emit_raw(bytes, (size_t)n);
	}
}

static void ask_thread(void)
{
	struct pollfd done = {.fd = last.crash.done_fd, .events = POLLIN};
	uint64_t one = 1;

	if (gettid() == last.crash.thread)
		return;
	if (write(last.crash.wake_fd, &one, sizeof one) == (ssize_t)sizeof one)
		(void)poll(&done, 1, PATIENCE_MS);
}

static char *append(char *to, const char *text)
{
	size_t length = strlen(text);

	memcpy(to, text, length + 1);
	return to + length;
}

static char *append_number(char *to, unsigned long number)
{
	char digits[24];
	char *p = digits + sizeof digits - 1;

	*p = 0;
	do
		*--p = (char)('0' + number % 10);
	while (number /= 10);
	return append(to, p);
}

/* The same forms as format.c's, made without stdio. */
static void say(int number)
{
	const struct crash *crash = &last.crash;
	char line[512], time[FORMAT_TIME_MAX];
	struct timespec now = {0};
	char *p = line;

	clock_gettime(CLOCK_REALTIME, &now);
	format_time(time, &now);
	if (crash->json)
		p = append(append(append(append(p, "{\"time\":\""), time),
				  "\",\"level\":\"error\",\"name\":\""),
			   crash->name);
	else if (!crash->datagram)
		p = append(append(append(p, time), " error "), crash->name);
	if (crash->json)
		p = append_number(append(p, "\",\"pid\":"), (unsigned long)crash->pid);
	else if (!crash->datagram)
		p = append(append_number(append(p, "["), (unsigned long)crash->pid), "]: ");
	p = append(p, crash->json ? ",\"message\":\"died from signal " : "died from signal ");
	p = append(append_number(p, (unsigned long)number), crash->json ? "\"}" : "");
	if (!crash->datagram)
		p = append(p, "\n");
	emit(line, (size_t)(p - line));
}

static void on_fatal(int number)
{
	if (atomic_exchange(&last.dying, 1) == 0 && last.installed) {
		ask_thread();
		drain();
		say(number);
	}
	/* SA_RESETHAND: the default action is back; the signal is delivered again on return. */
	raise(number);
}

static void on_sanitizer_death(void)
{
	if (!last.installed || atomic_exchange(&last.dying, 1) != 0)
		return;
	ask_thread();
	drain();
}

/* 1: it was; 0: somebody else's handler stands already; -1 with errno. */
static int catch_signal(int number, const struct sigaction *action)
{
	struct sigaction before;

	if (sigaction(number, NULL, &before) < 0)
		return -1;
	if ((before.sa_flags & SA_SIGINFO) == 0 ? before.sa_handler != SIG_DFL
						: before.sa_sigaction != NULL)
		return 0;
	return sigaction(number, action, NULL) < 0 ? -1 : 1;
}

/* A sanitizer that catches overflows of the stack has its own. */
static int use_stack(void)
{
	stack_t stack = {.ss_sp = last.stack, .ss_size = sizeof last.stack};

	if (!__sanitizer_set_death_callback)
		return sigaltstack(&stack, NULL);
	__sanitizer_set_death_callback(on_sanitizer_death);
	return 0;
}

static int catch_all(void)
{
	struct sigaction action = {.sa_handler = on_fatal,
				   .sa_flags = (int)(SA_RESETHAND | SA_ONSTACK | SA_NODEFER)};
	int failed = 0;

	sigemptyset(&action.sa_mask);
	for (int i = 0; i < FATAL; i++) {
		int caught = last.ours[i] ? 1 : catch_signal(fatal[i], &action);

		last.ours[i] = caught > 0;
		if (caught < 0)
			failed = errno;
	}
	return failed;
}

int crash_install(const struct crash *crash)
{
	int failed, code;

	last.crash = *crash;
	atomic_store(&last.dying, 0);
	last.installed = 1;
	failed = use_stack() < 0 ? errno : 0;
	code = catch_all();
	errno = code ? code : failed;
	return errno ? -1 : 0;
}

void crash_catch(void)
{
	if (last.installed)
		(void)catch_all();
}

void crash_remove(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};

	if (!last.installed)
		return;
	last.installed = 0;
	sigemptyset(&action.sa_mask);
	for (int i = 0; i < FATAL; i++)
		if (last.ours[i])
			sigaction(fatal[i], &action, NULL);
	memset(last.ours, 0, sizeof last.ours);
}
