#include "plan/audit.h"

#include <stdio.h>
#include <stdlib.h>

#include "plan/audit_check.h"
#include "plan/limit.h"
#include "sys/sys.h"

/* --- what a proof that holds proves --- */

static void tell_ids(const struct audit *audit, FILE *out)
{
	fprintf(out, "uid %lu, gid %lu", (unsigned long)audit->aim.uid,
		(unsigned long)audit->aim.gid);
}

static void tell_groups(const struct audit *audit, FILE *out)
{
	if (!audit->aim.ids)
		fputs("those of the caller, who may not leave them", out);
	else if (audit->aim.gid_count == 0)
		fputs("none", out);
	for (size_t i = 0; audit->aim.ids && i < audit->aim.gid_count; i++)
		fprintf(out, "%s%lu", i ? ", " : "", (unsigned long)audit->aim.gids[i]);
}

static void tell_capabilities(const struct audit *audit, FILE *out)
{
	aim_print_capabilities(audit->aim.capabilities, out);
	fputs("; bounding set ", out);
	aim_print_capabilities(audit->aim.bounding, out);
}

static void tell_no_new_privs(const struct audit *audit, FILE *out)
{
	(void)audit;
	fputs("set; core dumps and tracing are forbidden", out);
}

static void tell_signals(const struct audit *audit, FILE *out)
{
	(void)audit;
	fputs("none is ignored but PIPE and XFSZ", out);
}

static void tell_umask(const struct audit *audit, FILE *out)
{
	fprintf(out, "%03o", (unsigned)audit->daemon->spec->umask);
}

static void tell_limits(const struct audit *audit, FILE *out)
{
	const struct spec *spec = audit->daemon->spec;
	char text[LIMIT_TEXT_MAX];

	if (spec->limit_count == 0)
		fputs("none was asked for", out);
	for (size_t i = 0; i < spec->limit_count; i++)
		fprintf(out, "%s%s %s", i ? ", " : "", spec->limits[i].name,
			limit_text(spec->limits[i].value, text));
}

static void tell_descriptors(const struct audit *audit, FILE *out)
{
	fputs(audit_changes_root(audit->daemon->spec) ? "none of luvd's is a way out of the root"
						      : "no root to get out of",
	      out);
}

static void tell_working_directory(const struct audit *audit, FILE *out)
{
	(void)audit;
	fputs("inside the root", out);
}

static void tell_root(const struct audit *audit, FILE *out)
{
	fputs(audit_changes_root(audit->daemon->spec) ? "its own, and no way leads up"
						      : "the system's, as no chroot was asked for",
	      out);
}

static void tell_no_return(const struct audit *audit, FILE *out)
{
	const struct aim *aim = &audit->aim;

	fputs(aim->uid == 0 || aim_has(aim->capabilities, CAPABILITY_SETUID)
		  ? "not tried: it may be root"
		  : "uid 0 cannot be had back",
	      out);
}

static void tell_no_secrets(const struct audit *audit, FILE *out)
{
	const struct aim *aim = &audit->aim;
	bool may = aim->uid == 0 || !aim->ids ||
		   aim_has(aim->capabilities, CAPABILITY_DAC_OVERRIDE) ||
		   aim_has(aim->capabilities, CAPABILITY_DAC_READ_SEARCH);

	fputs(may ? "not tried: it may read what its user may"
		  : "'/../../etc/shadow' cannot be opened by any right that it was not given",
	      out);
}

/* --- the proofs --- */

/* tell NULL: proves nothing of a process that runs. */
static const struct check {
	const char *name;
	int (*check)(const struct audit *audit);
	void (*tell)(const struct audit *audit, FILE *out);
} checks[] = {
    {"threads", audit_one_thread, NULL},
    {"ids", audit_ids, tell_ids},
    {"groups", audit_groups, tell_groups},
    {"capabilities", audit_capabilities, tell_capabilities},
    {"no_new_privs", audit_no_new_privs, tell_no_new_privs},
    {"signals", audit_signals, tell_signals},
    {"umask", audit_umask, tell_umask},
    {"limits", audit_limits, tell_limits},
    {"descriptors", audit_descriptors, tell_descriptors},
    {"folder", audit_working_directory, tell_working_directory},
    {"root", audit_root, tell_root},
    {"no return", audit_no_return, tell_no_return},
    {"no secrets", audit_no_secrets, tell_no_secrets},
};
enum { CHECKS = sizeof checks / sizeof *checks };

static int read_status(struct audit *audit)
{
	ssize_t length =
	    sys_read_from_start(audit->daemon->witness_fd, audit->status, sizeof audit->status - 1);

	if (length <= 0)
		return err_sys(audit->err, "cannot read '/proc/self/status'");
	audit->status[length] = '\0';
	return 0;
}

int audit_prove(struct daemon *daemon, struct err *err)
{
	struct audit audit = {.daemon = daemon, .err = err};

	aim_make(&audit.aim, daemon);
	if (read_status(&audit) < 0)
		return -1;
	for (size_t i = 0; i < CHECKS; i++)
		if (checks[i].check(&audit) < 0)
			return -1;
	return 0;
}

/* "ids: uid 33, gid 33", or what err says. */
static void line_of(const struct audit *audit, const struct check *check, bool holds, FILE *out)
{
	char text[ERR_TEXT_MAX];

	fprintf(out, "%s: ", check->name);
	if (holds)
		check->tell(audit, out);
	else
		fputs(err_text(audit->err, text, sizeof text), out);
}

static void tell_one(const struct audit *audit, const struct check *check, bool holds,
		     void (*tell)(void *data, const char *line, bool holds), void *data)
{
	char *line = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&line, &length);

	if (!out)
		return;
	line_of(audit, check, holds, out);
	if (fclose(out) == 0)
		tell(data, line, holds);
	free(line);
}

int audit_tell(struct daemon *daemon, void (*tell)(void *data, const char *line, bool holds),
	       void *data)
{
	struct err err = {0};
	struct audit audit = {.daemon = daemon, .running = true, .err = &err};
	char text[ERR_TEXT_MAX];
	int wrong = 0;

	aim_make(&audit.aim, daemon);
	if (read_status(&audit) < 0) {
		tell(data, err_text(&err, text, sizeof text), false);
		return 1;
	}
	for (size_t i = 0; i < CHECKS; i++) {
		bool holds;

		if (!checks[i].tell)
			continue;
		err = (struct err){0};
		holds = checks[i].check(&audit) == 0;
		wrong += !holds;
		tell_one(&audit, &checks[i], holds, tell, data);
	}
	return wrong;
}
