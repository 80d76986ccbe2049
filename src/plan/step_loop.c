#include "plan/step.h"

static const char *const kinds[] = {"of the daemon file", "module", "file"};

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;

	fputs("start the event loop, its threads and a Lua state; call start of the service ", out);
	if (spec->service_kind == SERVICE_INLINE || !spec->service)
		fputs(kinds[SERVICE_INLINE], out);
	else
		fprintf(out, "%s '%s'", kinds[spec->service_kind], spec->service);
}

const struct step step_loop = {
    .name = "loop",
    .roles = WORKER,
    .describe = describe,
};
