#include <fcntl.h>
#include <stdlib.h>

#include "plan/step.h"
#include "sys/sys.h"

enum { DESCRIPTORS_MAX = 1024, TEXT_MAX = 256 << 10 };

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
		fputs(
		    "\ninside the empty root there are no files: no /tmp, no /dev, and host names "
		    "only for luvd.net",
		    out);
	else if (changes_root(spec))
		fprintf(out,
			"\nhost names outside luvd.net work only if '%s' has etc/hosts and "
			"etc/resolv.conf",
			spec->chroot);
}

static uint64_t needs(const struct spec *spec)
{
	(void)spec;
	return NEED_FILES;
}

/* The whole text of a file that may be missing. One that is larger than a name service's file
 * ever was is cut at the end of a line. */
static int keep_text(struct daemon *daemon, const char *path, char **text, struct err *err)
{
	int fd = sys_try_open(path, O_RDONLY);
	ssize_t length;

	if (fd < 0)
		return 0;
	*text = malloc(TEXT_MAX + 1);
	length = *text ? sys_read_from_start(fd, *text, TEXT_MAX) : -1;
	if (length < 0)
		err_sys(err, "cannot read '%s'", path);
	sys_close(fd);
	if (length < 0)
		return -1;
	if (length == TEXT_MAX) {
		while (length > 0 && (*text)[length - 1] != '\n')
			length--;
		daemon_warn(daemon, "warmup", 0,
			    "'%s' is larger than %d bytes: the rest of it is ignored", path,
			    TEXT_MAX);
	}
	(*text)[length] = '\0';
	*text = realloc(*text, (size_t)length + 1);
	return 0;
}

int warmup_read(struct daemon *daemon, struct err *err)
{
	if (keep_text(daemon, "/etc/hosts", &daemon->hosts, err) < 0)
		return -1;
	return keep_text(daemon, "/etc/resolv.conf", &daemon->resolver, err);
}

static int apply(struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;
	int known[DESCRIPTORS_MAX];
	size_t count;

	sys_warm_time();
	sys_warm_names(spec->uid, spec->gid);
	if (warmup_read(daemon, err) < 0)
		return -1;
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
