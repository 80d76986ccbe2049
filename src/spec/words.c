#include "spec/words.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <syslog.h>

#include "spec/nearest.h"
#include "spec/spec.h"

const struct word words_sink[] = {
    {"stderr", SINK_STDERR},
    {"stdout", SINK_STDOUT},
    {"syslog", SINK_SYSLOG},
    {"journal", SINK_JOURNAL},
    {NULL, 0},
};

const struct word words_level[] = {
    {"debug", LEVEL_DEBUG},
    {"info", LEVEL_INFO},
    {"warn", LEVEL_WARN},
    {"error", LEVEL_ERROR},
    {NULL, 0},
};

const struct word words_format[] = {{"text", 0}, {"json", 1}, {NULL, 0}};

const struct word words_facility[] = {
    {"daemon", LOG_DAEMON},
    {"user", LOG_USER},
    {"auth", LOG_AUTH},
    {"authpriv", LOG_AUTHPRIV},
    {"cron", LOG_CRON},
    {"ftp", LOG_FTP},
    {"lpr", LOG_LPR},
    {"mail", LOG_MAIL},
    {"news", LOG_NEWS},
    {"uucp", LOG_UUCP},
    {"local0", LOG_LOCAL0},
    {"local1", LOG_LOCAL1},
    {"local2", LOG_LOCAL2},
    {"local3", LOG_LOCAL3},
    {"local4", LOG_LOCAL4},
    {"local5", LOG_LOCAL5},
    {"local6", LOG_LOCAL6},
    {"local7", LOG_LOCAL7},
    {NULL, 0},
};

const struct word words_file_mode[] = {{"r", 'r'}, {"a", 'a'}, {"w", 'w'}, {NULL, 0}};

const struct word words_policy[] = {
    {"always", RESTART_ALWAYS},
    {"on-failure", RESTART_ON_FAILURE},
    {"never", RESTART_NEVER},
    {NULL, 0},
};

const struct word words_over[] = {
    {"stop", RESTART_OVER_STOP}, {"go-on", RESTART_OVER_GO_ON}, {NULL, 0}};

const struct word words_action[] = {
    {"reload", ACTION_RELOAD},
    {"reopen", ACTION_REOPEN},
    {"upgrade", ACTION_UPGRADE},
    {"stop", ACTION_STOP},
    {"stop-now", ACTION_STOP_NOW},
    {"ignore", ACTION_IGNORE},
    {NULL, 0},
};

/* Not here: KILL and STOP, which nobody can catch; PIPE and XFSZ, which must stay ignored; CHLD,
 * which belongs to libuv; faults, after which nothing may run on; the two timer signals ALRM and
 * VTALRM. */
const struct word words_signal[] = {
    {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT}, {"TERM", SIGTERM}, {"USR1", SIGUSR1},
    {"USR2", SIGUSR2}, {"WINCH", SIGWINCH}, {"CONT", SIGCONT}, {"URG", SIGURG},   {"IO", SIGIO},
    {"PWR", SIGPWR},   {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN}, {"TTOU", SIGTTOU}, {NULL, 0},
};

const struct word words_limit[] = {
    {"as", RLIMIT_AS},
    {"core", RLIMIT_CORE},
    {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},
    {"fsize", RLIMIT_FSIZE},
    {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK},
    {"msgqueue", RLIMIT_MSGQUEUE},
    {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},
    {"nproc", RLIMIT_NPROC},
    {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},
    {"rttime", RLIMIT_RTTIME},
    {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
    {NULL, 0},
};

const struct word words_ioprio[] = {{"realtime", 1}, {"best-effort", 2}, {"idle", 3}, {NULL, 0}};

const struct word *word_find(const struct word *words, const char *name)
{
	for (; words->name; words++)
		if (strcmp(words->name, name) == 0)
			return words;
	return NULL;
}

const char *word_nearest(const struct word *words, const char *name)
{
	struct nearest nearest;

	nearest_init(&nearest, name);
	for (; words->name; words++)
		nearest_try(&nearest, words->name);
	return nearest.best;
}

bool word_limit_is_size(int resource)
{
	static const int sizes[] = {RLIMIT_AS,      RLIMIT_CORE,     RLIMIT_DATA, RLIMIT_FSIZE,
				    RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_RSS,  RLIMIT_STACK};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (sizes[i] == resource)
			return true;
	return false;
}
