#include "plan/step.h"
#include "sys/sys.h"

enum { DESCRIPTORS_MAX = 1024 };

static bool changes_root(const struct spec *spec)
{
	return spec->chroot || spec->chroot_auto;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;

	fputs("read the time zone, name service and resolver settings", out);
	for (size_t i = 0; i < spec->module_count; i++)
		if (spec->modules[i].kind == MODULE_C)
			fprintf(out, "\nmap the C module '%s'", spec->modules[i].path);
	fputs("\nclose what these have left open", out);
	if (spec->chroot_auto)
		fputs("\ninside the empty root there are no files: no host names, no /tmp, no /dev",
		      out);
	else if (changes_root(spec))
		fprintf(out, "\nhost names work only if '%s' has etc/hosts and etc/resolv.conf",
			spec->chroot);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

static int apply(struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;
	int known[DESCRIPTORS_MAX];
	size_t count;

	sys_warm_time();
	sys_warm_names(spec->uid, spec->gid);
	for (size_t i = 0; i < spec->module_count; i++) {
		const char *problem =
		    spec->modules[i].kind == MODULE_C ? sys_preload(spec->modules[i].path) : NULL;

		if (problem)
			return err_set(err, "cannot map '%s': %s", spec->modules[i].path, problem);
	}
	count = daemon_descriptors(daemon, known, DESCRIPTORS_MAX);
	if (sys_close_others(known, count) < 0)
		return err_sys(err, "cannot close what the name service has left open");
	return 0;
}

const struct step step_warmup = {
    .name = "warmup",
    .roles = WORKER,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
