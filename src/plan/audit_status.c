#include <inttypes.h>
#include <signal.h>

#include "plan/audit_check.h"
#include "sys/sys.h"

/* --- what /proc/self/status says --- */

/* A line of the same number count times. */
static int expect_all(const struct audit *audit, const char *field, int count, uint64_t expected)
{
	uint64_t numbers[4];
	int found = status_numbers(audit->status, field, 10, numbers, 4);

	for (int i = 0; i < found && i < count; i++)
		if (numbers[i] != expected)
			return err_set(audit->err, "%s is %" PRIu64 ", expected %" PRIu64, field,
				       numbers[i], expected);
	return found == count ? 0 : err_set(audit->err, "the kernel does not tell %s", field);
}

static int expect(const struct audit *audit, const char *field, int base, uint64_t expected)
{
	uint64_t number;

	if (!status_number(audit->status, field, base, &number))
		return err_set(audit->err, "the kernel does not tell %s", field);
	if (number == expected)
		return 0;
	return err_set(audit->err,
		       base == 8    ? "%s is %" PRIo64 ", expected %" PRIo64
		       : base == 16 ? "%s is %" PRIx64 ", expected %" PRIx64
				    : "%s is %" PRIu64 ", expected %" PRIu64,
		       field, number, expected);
}

int audit_one_thread(const struct audit *audit)
{
	/* Several of the steps act on the calling thread alone. */
	return expect(audit, "Threads", 10, 1);
}

int audit_ids(const struct audit *audit)
{
	/* Real, effective, saved, file system. */
	if (expect_all(audit, "Uid", 4, audit->aim.uid) < 0)
		return -1;
	return expect_all(audit, "Gid", 4, audit->aim.gid);
}

int audit_groups(const struct audit *audit)
{
	uint64_t numbers[SYS_GROUPS_MAX];
	int count = status_numbers(audit->status, "Groups", 10, numbers, SYS_GROUPS_MAX);

	if (count < 0)
		return err_set(audit->err, "the kernel does not tell Groups");
	if (!audit->aim.ids)
		return 0; /* an ordinary user keeps the groups of the caller, who may not leave them
			   */
	if ((size_t)count != audit->aim.gid_count)
		return err_set(audit->err, "%d supplementary groups are left, expected %zu", count,
			       audit->aim.gid_count);
	for (int i = 0; i < count; i++)
		if (!aim_in_group(&audit->aim, numbers[i]))
			return err_set(audit->err, "the supplementary group %" PRIu64 " is left",
				       numbers[i]);
	return 0;
}

int audit_capabilities(const struct audit *audit)
{
	const struct aim *aim = &audit->aim;

	if (expect(audit, "CapEff", 16, aim->capabilities) < 0 ||
	    expect(audit, "CapBnd", 16, aim->bounding) < 0)
		return -1;
	if (!aim->new_capabilities)
		return 0;
	if (expect(audit, "CapPrm", 16, aim->capabilities) < 0 ||
	    expect(audit, "CapInh", 16, aim->capabilities) < 0)
		return -1;
	return expect(audit, "CapAmb", 16, aim->capabilities);
}

int audit_no_new_privs(const struct audit *audit)
{
	int dumpable = sys_is_dumpable();

	if (dumpable < 0)
		return err_sys(audit->err, "cannot tell whether core dumps are forbidden");
	if (dumpable)
		return err_set(audit->err, "core dumps and tracing are not forbidden");
	return expect(audit, "NoNewPrivs", 10, 1);
}

static uint64_t signal_bit(int number)
{
	return UINT64_C(1) << (number - 1);
}

int audit_signals(const struct audit *audit)
{
	const uint64_t blocked = signal_bit(SIGHUP) | signal_bit(SIGINT) | signal_bit(SIGQUIT) |
				 signal_bit(SIGTERM) | signal_bit(SIGUSR1) | signal_bit(SIGUSR2);
	uint64_t ignored;

	/* Until the handlers stand. */
	if (!audit->running && expect(audit, "SigBlk", 16, blocked) < 0)
		return -1;
	if (!status_number(audit->status, "SigIgn", 16, &ignored))
		return err_set(audit->err, "the kernel does not tell SigIgn");
	ignored &= UINT64_MAX >> 33; /* 1 to 31; those above belong to the C library */
	ignored &= ~(signal_bit(SIGPIPE) | signal_bit(SIGXFSZ));
	return ignored ? err_set(audit->err, "signals are ignored: %" PRIx64, ignored) : 0;
}

int audit_umask(const struct audit *audit)
{
	return expect(audit, "Umask", 8, audit->daemon->spec->umask);
}
