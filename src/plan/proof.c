#include "plan/proof.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/aim.h"
#include "plan/limit.h"
#include "plan/status.h"
#include "sys/sys.h"

enum { LINE_MAX_BYTES = 1000, NUMBERS_MAX = 64 };

struct proof {
	const struct daemon *daemon;
	char status[STATUS_BYTES_MAX];
	void (*tell)(void *data, const char *line);
	void *data;
};

static void tell(const struct proof *proof, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(const struct proof *proof, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	proof->tell(proof->data, line);
}

/* "uid 0, 0, 0, 0", or only "uid 0" when all are the same. */
static void tell_numbers(const struct proof *proof, const char *name, const char *field)
{
	uint64_t numbers[NUMBERS_MAX];
	int count = status_numbers(proof->status, field, 10, numbers, NUMBERS_MAX);
	char text[LINE_MAX_BYTES / 2] = "";
	size_t used = 0;
	bool same = count > 1;

	for (int i = 1; i < count && i < NUMBERS_MAX; i++)
		same = same && numbers[i] == numbers[0];
	if (strcmp(name, "groups") != 0 && same)
		count = 1;
	for (int i = 0; i < count && i < NUMBERS_MAX && used + 24 < sizeof text; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64,
					 i ? ", " : "", numbers[i]);
	tell(proof, "%s %s%s", name,
	     count < 0    ? "unknown"
	     : count == 0 ? "none"
			  : text,
	     count > NUMBERS_MAX ? ", ..." : "");
}

static void tell_capabilities(const struct proof *proof, const char *name, const char *field)
{
	uint64_t mask;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	if (status_number(proof->status, field, 16, &mask))
		aim_print_capabilities(mask, out);
	else
		fputs("unknown", out);
	if (fclose(out) == 0)
		tell(proof, "%s %s", name, text);
	free(text);
}

static void tell_flag(const struct proof *proof, const char *name, int flag)
{
	tell(proof, "%s %s", name, flag < 0 ? "unknown" : flag ? "yes" : "no");
}

static void tell_new_privs(const struct proof *proof)
{
	uint64_t number;
	bool known = status_number(proof->status, "NoNewPrivs", 10, &number);

	tell_flag(proof, "no_new_privs", known ? number == 1 : -1);
}

/* Against what step witness saw before the root was changed. */
static void tell_root(const struct proof *proof)
{
	const struct made *before = &proof->daemon->root;
	struct stat here;

	if (sys_stat_at(AT_FDCWD, "/", &here) < 0)
		tell(proof, "root unknown");
	else if (here.st_dev == before->device && here.st_ino == before->inode)
		tell(proof, "root the machine's");
	else
		tell(proof, "root its own%s", here.st_nlink == 0 ? ", empty for good" : "");
}

static void tell_limits(const struct proof *proof)
{
	const struct spec *spec = proof->daemon->spec;

	for (size_t i = 0; i < spec->limit_count; i++) {
		const struct limit *limit = &spec->limits[i];
		char soft[LIMIT_TEXT_MAX], hard[LIMIT_TEXT_MAX];
		struct rlimit now;

		if (sys_limit_get(limit->resource, &now) < 0)
			tell(proof, "limit %s unknown", limit->name);
		else
			tell(proof, "limit %s %s, at most %s", limit->name,
			     limit_text(now.rlim_cur, soft), limit_text(now.rlim_max, hard));
	}
}

int proof_tell(const struct daemon *daemon, void (*tell_line)(void *data, const char *line),
	       void *data, struct err *err)
{
	struct proof proof = {.daemon = daemon, .tell = tell_line, .data = data};
	ssize_t length =
	    sys_read_from_start(daemon->witness_fd, proof.status, sizeof proof.status - 1);

	if (length <= 0)
		return err_sys(err, "cannot read '/proc/self/status'");
	proof.status[length] = '\0';
	tell_numbers(&proof, "uid", "Uid");
	tell_numbers(&proof, "gid", "Gid");
	tell_numbers(&proof, "groups", "Groups");
	tell_capabilities(&proof, "capabilities", "CapEff");
	tell_capabilities(&proof, "permitted", "CapPrm");
	tell_capabilities(&proof, "bounding", "CapBnd");
	tell_new_privs(&proof);
	tell_flag(&proof, "dumpable", sys_is_dumpable());
	tell_root(&proof);
	tell_limits(&proof);
	return 0;
}
