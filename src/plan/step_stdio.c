#include "plan/step.h"
#include "sys/sys.h"

static void describe(const struct daemon *daemon, FILE *out)
{
	(void)daemon;
	fputs("open /dev/null on whichever of the descriptors 0, 1 and 2 is closed", out);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

static int apply(struct daemon *daemon, struct err *err)
{
	(void)daemon;
	if (sys_fill_stdio() < 0)
		return err_sys(err, "cannot open '/dev/null'");
	return 0;
}

const struct step step_stdio = {
    .name = "stdio",
    .roles = LAUNCH,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
