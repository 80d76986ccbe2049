#include "host/monitor/guard.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/crash.h"
#include "sys/sys.h"

static const struct {
	int number;
	const char *words;
} causes[] = {
    {SIGSEGV, "the new binary died from SIGSEGV when it took over"},
    {SIGBUS, "the new binary died from SIGBUS when it took over"},
    {SIGFPE, "the new binary died from SIGFPE when it took over"},
    {SIGILL, "the new binary died from SIGILL when it took over"},
    {SIGABRT, "the new binary died from SIGABRT when it took over"},
    {SIGALRM, "the new binary has not taken over in time"},
};

enum { CAUSES = sizeof causes / sizeof *causes, PADDING = 100 /* blanks: a title has room */ };

/* What a handler must reach: the words of `luvd monitor resume STATE SELF WHY PADDING`. */
static struct {
	int self_fd;
	char state[16], self[16], why[ERR_TEXT_MAX], padding[PADDING + 1];
	struct sigaction before[CAUSES];
} self;

/* Async-signal-safe. */
static void execute(char *why)
{
	char program[] = "luvd", command[] = "monitor", word[] = "resume";
	char *const arguments[] = {program,   command, word,         self.state,
				   self.self, why,     self.padding, NULL};

	sys_signals_block_all();
	alarm(0); /* it would outlive this image */
	sys_execute(self.self_fd, arguments);
}

/* Another thread cannot execute anything without the workers' taking it for our end. */
static void on_cause(int number)
{
	for (size_t i = 0; gettid() == getpid() && i < CAUSES; i++)
		if (causes[i].number == number) {
			memcpy(self.why, causes[i].words, strlen(causes[i].words) + 1);
			execute(self.why);
		}
	signal(number, SIG_DFL);
	raise(number);
}

void guard_begin(int state_fd, int self_fd)
{
	struct sigaction action = {.sa_handler = on_cause, .sa_flags = SA_NODEFER};
	sigset_t set;

	self.self_fd = self_fd;
	snprintf(self.state, sizeof self.state, "%d", state_fd);
	snprintf(self.self, sizeof self.self, "%d", self_fd);
	memset(self.padding, ' ', PADDING);
	sigemptyset(&set);
	for (size_t i = 0; i < CAUSES; i++) {
		sigaddset(&set, causes[i].number);
		sigaction(causes[i].number, &action, &self.before[i]);
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarm(GUARD_SECONDS);
}

void guard_give_back(const struct err *why)
{
	err_text(why, self.why, sizeof self.why);
	execute(self.why);
}

void guard_end(void)
{
	alarm(0);
	for (size_t i = 0; i < CAUSES; i++)
		sigaction(causes[i].number, &self.before[i], NULL);
	crash_catch();
}
