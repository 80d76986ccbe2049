#include "host/monitor/candidate.h"

#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "sys/sys.h"

/* Folders of the start belong to the user of the start: rows of the monitor are not taken again. */
static int check_folders(const struct spec *fresh, const struct spec *running, struct err *err)
{
	if (fresh->uid == running->uid && fresh->gid == running->gid)
		return 0;
	for (int i = 0; i < DIRECTORIES; i++)
		if (running->folders[i].wanted)
			return err_set(spec_blame(fresh, "user", err),
				       "needs restart: '%s' belongs to the user before",
				       running->folders[i].path);
	return 0;
}

int candidate_check(const struct candidate *candidate, const struct daemon *daemon, struct err *err)
{
	struct daemon seen = *daemon;
	struct errs errs = {0};
	struct plan plan;
	int result;

	if (check_folders(candidate->spec, daemon->spec, err) < 0)
		return -1;
	seen.spec = candidate->spec;
	seen.role = WORKER;
	plan_make(&plan, &seen, WORKER);
	result = plan_check_rows(&plan, &seen, &errs);
	if (result < 0)
		*err = errs.list[0];
	errs_finish(&errs);
	return result;
}

int candidate_seal(struct candidate *candidate, struct err *err)
{
	unsigned char *bytes;
	size_t length;

	if (bundle_encode(candidate->spec, &bytes, &length, err) < 0)
		return -1;
	candidate->bundle_fd = sys_memfd_sealed("luvd-bundle", bytes, length);
	free(bytes);
	return candidate->bundle_fd < 0 ? err_sys(err, "cannot make the bundle") : 0;
}

void candidate_leave(struct candidate *candidate)
{
	*candidate = (struct candidate){.bundle_fd = -1};
}

void candidate_finish(struct candidate *candidate)
{
	spec_destroy(candidate->spec);
	sys_close(candidate->bundle_fd);
	candidate_leave(candidate);
}
