#ifndef LUVD_PLAN_AUDIT_CHECK_H
#define LUVD_PLAN_AUDIT_CHECK_H

#include "plan/aim.h"
#include "plan/status.h"

/* What audit.c, audit_status.c and audit_calls.c share: one reading, and the proofs. */

struct audit {
	struct daemon *daemon;
	struct aim aim;
	bool running; /* else: before the service is met */
	char status[STATUS_BYTES_MAX];
	struct err *err;
};

/* --- audit_status.c: what /proc/self/status says --- */

int audit_one_thread(const struct audit *audit);
int audit_ids(const struct audit *audit);
int audit_groups(const struct audit *audit);
int audit_capabilities(const struct audit *audit);
int audit_no_new_privs(const struct audit *audit);
int audit_signals(const struct audit *audit);
int audit_umask(const struct audit *audit);

/* --- audit_calls.c: what other calls say, and what must be impossible --- */

int audit_limits(const struct audit *audit);
int audit_descriptors(const struct audit *audit);
int audit_working_directory(const struct audit *audit);
int audit_root(const struct audit *audit);
int audit_no_return(const struct audit *audit);
int audit_no_secrets(const struct audit *audit);

/* Has it a root of its own? */
bool audit_changes_root(const struct spec *spec);

#endif
