#include <inttypes.h>

#include "plan/limit.h"
#include "plan/step.h"
#include "sys/sys.h"

static bool wanted(const struct daemon *daemon)
{
	const struct spec *spec = daemon->spec;

	return spec->limit_count || spec->nice_given || spec->cpu_count || spec->ioprio_class;
}

static void separate(FILE *out, bool *first)
{
	if (!*first)
		fputc('\n', out);
	*first = false;
}

static void describe(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;
	char text[LIMIT_TEXT_MAX];
	bool first = true;

	for (size_t i = 0; i < spec->limit_count; i++) {
		separate(out, &first);
		fprintf(out, "limit %s to %s%s", spec->limits[i].name,
			limit_text(spec->limits[i].value, text),
			limit_is_late(&spec->limits[i]) ? ", once luvd's own threads run" : "");
	}
	if (spec->nice_given) {
		separate(out, &first);
		fprintf(out, "set the nice value to %d", spec->nice);
	}
	if (spec->ioprio_class) {
		separate(out, &first);
		fprintf(out, "set the i/o priority to class %d, level %d", spec->ioprio_class,
			spec->ioprio_level);
	}
	if (spec->cpu_count) {
		separate(out, &first);
		fputs("run on the CPUs", out);
	}
	for (size_t i = 0; i < spec->cpu_count; i++)
		fprintf(out, "%s %d", i ? "," : "", spec->cpus[i]);
}

static uint64_t needs(const struct spec *spec)
{
	uint64_t needs = 0;

	/* A raised limit needs SYS_RESOURCE; whether it is raised, only the machine knows. */
	if (spec->nice_given && spec->nice < 0)
		needs |= NEED_CAPABILITY(CAPABILITY_SYS_NICE);
	return needs;
}

static int set_limits(const struct spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->limit_count; i++)
		if (!limit_is_late(&spec->limits[i]) && limit_set(spec, &spec->limits[i], err) < 0)
			return -1;
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;

	if (set_limits(spec, err) < 0)
		return -1;
	if (spec->nice_given && sys_nice(spec->nice) < 0)
		return err_sys(spec_blame(spec, "priority.nice", err), "cannot set %d", spec->nice);
	if (spec->ioprio_class && sys_io_priority(spec->ioprio_class, spec->ioprio_level) < 0)
		return err_sys(spec_blame(spec, "priority.ioprio", err),
			       "cannot set class %d, level %d", spec->ioprio_class,
			       spec->ioprio_level);
	if (spec->cpu_count && sys_affinity(spec->cpus, spec->cpu_count) < 0)
		return err_sys(spec_blame(spec, "priority.cpus", err),
			       "cannot run on these %zu CPUs", spec->cpu_count);
	return 0;
}

const struct step step_limits = {
    .name = "limits",
    .roles = WORKER,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
};
