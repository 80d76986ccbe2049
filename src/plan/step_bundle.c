#include <stdlib.h>

#include "plan/step.h"
#include "sys/sys.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	size_t count = daemon->spec->module_count;

	fprintf(out, "keep the daemon file%s in memory, sealed: what runs is what was checked",
		count > 1 ? " and its modules" : "");
	for (size_t i = 1; i < count; i++)
		fprintf(out, "\n  %s from '%s'", daemon->spec->modules[i].name,
			daemon->spec->modules[i].path);
}

static int apply(struct daemon *daemon, struct err *err)
{
	unsigned char *bytes;
	size_t length;

	if (bundle_encode(daemon->spec, &bytes, &length, err) < 0)
		return -1;
	daemon->bundle_fd = sys_memfd_sealed("luvd-bundle", bytes, length);
	if (daemon->bundle_fd < 0)
		err_sys(err, "cannot keep %zu bytes in memory", length);
	free(bytes);
	return daemon->bundle_fd < 0 ? -1 : 0;
}

const struct step step_bundle = {
    .name = "bundle",
    .roles = LAUNCH,
    .describe = describe,
    .apply = apply,
};
