#include "unit/systemd.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "unit/words.h"

/* A unit for systemd 252 and later. Its timeouts are longer than luvd's own, so that luvd is the
 * one who says what went wrong. */

enum { MARGIN = 5000, LEAST_WATCHDOG = 10000 };

/* --- [Unit] --- */

static bool is_local(const struct address *address)
{
	const struct sockaddr_in *in = (const void *)&address->socket;
	const struct sockaddr_in6 *in6 = (const void *)&address->socket;

	switch (address->socket.ss_family) {
	case AF_INET:
		return in->sin_addr.s_addr == INADDR_ANY ||
		       ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr) ||
		       IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
	default:
		return true;
	}
}

/* Is there a listener at an address that comes only with a network? */
static bool needs_address(const struct spec *spec)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		for (size_t k = 0; k < spec->listens[i].address_count; k++)
			if (!is_local(&spec->listens[i].addresses[k]))
				return true;
	return false;
}

static void print_unit(const struct unit *unit, FILE *out)
{
	const struct spec *spec = unit->daemon->spec;
	bool root = unit->daemon->machine.root;

	fputs("[Unit]\nDescription=", out);
	words_systemd_text(out, *spec->description ? spec->description : spec->name);
	fputs("\nDocumentation=", out);
	words_systemd_uri(out, unit->daemon->source.path);
	if (root && needs_address(spec))
		fputs("\n# An address of this machine can be bound only when it is there.\n"
		      "Wants=network-online.target\nAfter=network-online.target",
		      out);
	else if (root)
		fputs("\nAfter=network.target", out);
	if (root && spec->user)
		fputs("\nAfter=nss-user-lookup.target", out);
	fputs("\n\n", out);
}

/* --- [Service] --- */

static int print_command(const struct unit *unit, const char *key, const char *command, bool sets,
			 FILE *out, struct err *err)
{
	const struct source *source = &unit->daemon->source;

	fprintf(out, "%s=", key);
	/* The program alone is no argument: a variable would not be expanded in it. */
	if (words_systemd_path(out, "", unit->program, err) < 0)
		return -1;
	fprintf(out, " %s ", command);
	if (words_systemd(out, source->path, err) < 0)
		return -1;
	for (size_t i = 0; sets && source->sets && source->sets[i]; i++) {
		fputs(" --set ", out);
		if (words_systemd(out, source->sets[i], err) < 0)
			return -1;
	}
	fputc('\n', out);
	return 0;
}

static int print_commands(const struct unit *unit, FILE *out, struct err *err)
{
	fputs("[Service]\nType=notify\nNotifyAccess=main\n", out);
	if (print_command(unit, "ExecStart", "run", true, out, err) < 0)
		return -1;
	fputs("# Returns with the verdict; a refused reload changes nothing.\n", out);
	return print_command(unit, "ExecReload", "reload", false, out, err);
}

static void print_environment(const struct spec *spec, FILE *out)
{
	if (!spec->environment_keep || !spec->environment_keep[0])
		return;
	fputs("PassEnvironment=", out);
	for (char **name = spec->environment_keep; *name; name++)
		fprintf(out, "%s%s", name == spec->environment_keep ? "" : " ", *name);
	fputc('\n', out);
}

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* A reload may start workers before it ends; both are bounded by luvd itself. */
static int64_t start_limit(const struct spec *spec)
{
	return spec->timeout_start && spec->timeout_reload
		   ? spec->timeout_start + spec->timeout_reload + MARGIN
		   : 0;
}

static void print_times(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;

	fputs("# timeouts.start and .reload, and a margin: luvd itself is to say what took too "
	      "long.\n"
	      "TimeoutStartSec=",
	      out);
	words_span(out, start_limit(spec));
	fputs("\nTimeoutStopSec=", out);
	words_span(out, spec->timeout_stop ? spec->timeout_stop + MARGIN : 0);
	fputc('\n', out);
	if (spec->timeout_watchdog <= 0)
		return;
	if (daemon_is_classic(daemon)) {
		fputs("WatchdogSec=", out);
		words_span(out, spec->timeout_watchdog);
	} else {
		fputs(
		    "# luvd replaces a worker that hangs after timeouts.watchdog: this is for luvd "
		    "itself.\nWatchdogSec=",
		    out);
		words_span(out, larger(2 * spec->timeout_watchdog, LEAST_WATCHDOG));
	}
	fputc('\n', out);
}

static void print_life(const struct daemon *daemon, FILE *out)
{
	fputs("# TERM goes to luvd alone, which stops its workers; what is left then is killed.\n"
	      "KillMode=mixed\n"
	      "Restart=on-failure\nRestartSec=1s\n"
	      "# 2: the daemon file is wrong. 3: it runs already, started by somebody else.\n"
	      "RestartPreventExitStatus=2 3\n",
	      out);
	if (!daemon_is_classic(daemon))
		fputs("# A worker that the kernel kills for its memory is replaced by luvd.\n"
		      "OOMPolicy=continue\n"
		      "# Each worker has a control group of its own: what it has started ends with "
		      "it.\n"
		      "Delegate=yes\n",
		      out);
}

static const struct {
	int resource;
	rlim_t floor; /* what systemd gives in any case */
	const char *key;
} hard_limits[] = {
    {RLIMIT_NOFILE, 1024, "LimitNOFILE"},
    {RLIMIT_MEMLOCK, 65536, "LimitMEMLOCK"},
    {RLIMIT_NPROC, 1024, "LimitNPROC"},
#ifdef RLIMIT_SIGPENDING
    {RLIMIT_SIGPENDING, 1024, "LimitSIGPENDING"},
#endif
#ifdef RLIMIT_MSGQUEUE
    {RLIMIT_MSGQUEUE, 819200, "LimitMSGQUEUE"},
#endif
#ifdef RLIMIT_RTPRIO
    {RLIMIT_RTPRIO, 0, "LimitRTPRIO"},
#endif
};
enum { HARD_LIMITS = sizeof hard_limits / sizeof *hard_limits };

static void print_limit(const struct limit *limit, FILE *out)
{
	for (int i = 0; i < HARD_LIMITS; i++) {
		if (hard_limits[i].resource != limit->resource ||
		    limit->value <= hard_limits[i].floor)
			continue;
		fprintf(out, "%s=%llu:", hard_limits[i].key,
			(unsigned long long)hard_limits[i].floor);
		if (limit->value == RLIM_INFINITY)
			fputs("infinity\n", out);
		else
			fprintf(out, "%llu\n", (unsigned long long)limit->value);
	}
}

/* Room for `limits`, which luvd sets in the workers: so it needs no privilege for them. */
static void print_limits(const struct spec *spec, FILE *out)
{
	for (size_t i = 0; i < spec->limit_count; i++)
		print_limit(&spec->limits[i], out);
}

int unit_systemd(const struct unit *unit, FILE *out, struct err *err)
{
	const struct daemon *daemon = unit->daemon;

	print_unit(unit, out);
	if (print_commands(unit, out, err) < 0)
		return -1;
	print_environment(daemon->spec, out);
	print_times(daemon, out);
	print_life(daemon, out);
	print_limits(daemon->spec, out);
	fputc('\n', out);
	if (systemd_confine(unit, out, err) < 0)
		return -1;
	fprintf(out, "\n[Install]\nWantedBy=%s.target\n",
		daemon->machine.root ? "multi-user" : "default");
	return 0;
}
