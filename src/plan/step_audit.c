#include "plan/audit.h"
#include "plan/step.h"

/* Reads back what the kernel says and tries what must be impossible. Whatever does not fit ends the
 * start: a daemon that is less confined than its file says must not serve. */

static void describe(const struct daemon *daemon, FILE *out)
{
	fputs("read back ids, groups, capabilities, limits, umask, signals and descriptors\n"
	      "try to become another user",
	      out);
	if (daemon->spec->chroot || daemon->spec->chroot_auto)
		fputs(" and to leave the root", out);
	fputs(": all of it must fail", out);
}

const struct step step_audit = {
    .name = "audit",
    .roles = WORKER,
    .describe = describe,
    .apply = audit_prove,
};
