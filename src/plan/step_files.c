#include <stdlib.h>

#include "plan/open_file.h"
#include "plan/step.h"
#include "sys/sys.h"

static bool wanted(const struct daemon *daemon)
{
	return daemon->spec->file_count > 0;
}

static const char *purpose(char mode)
{
	return mode == 'r' ? "read from" : mode == 'a' ? "append to" : "write";
}

static void describe(const struct daemon *daemon, FILE *out)
{
	for (size_t i = 0; i < daemon->spec->file_count; i++) {
		const struct file *file = &daemon->spec->files[i];

		fprintf(out, "%sopen '%s' to %s it, for '%s'", i ? "\n" : "", file->path,
			purpose(file->mode), file->name);
		if (file->mode != 'r')
			fprintf(out, "; when it is new, mode %04o", (unsigned)file->perm);
	}
}

static uint64_t needs(const struct spec *spec)
{
	return spec->file_count ? NEED_FILES : 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	size_t count = daemon->spec->file_count;

	daemon->file_fds = calloc(count, sizeof *daemon->file_fds);
	daemon->files_made = calloc(count, sizeof *daemon->files_made);
	for (size_t i = 0; daemon->file_fds && i < count; i++)
		daemon->file_fds[i] = -1;
	if (!daemon->file_fds || !daemon->files_made)
		return err_set(err, "out of memory");
	for (size_t i = 0; i < count; i++) {
		daemon->file_fds[i] = open_file_declared(daemon, i, &daemon->files_made[i], err);
		if (daemon->file_fds[i] < 0)
			return -1;
	}
	return 0;
}

static void undo(struct daemon *daemon)
{
	for (size_t i = 0; daemon->files_made && i < daemon->spec->file_count; i++)
		open_file_undo(daemon->spec->files[i].path, &daemon->files_made[i],
			       daemon->file_fds[i]);
}

const struct step step_files = {
    .name = "files",
    .roles = LAUNCH,
    .needs = needs,
    .wanted = wanted,
    .describe = describe,
    .apply = apply,
    .undo = undo,
};
