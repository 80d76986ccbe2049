#include "host/reopen.h"

#include <unistd.h>

#include "plan/open_file.h"
#include "sys/sys.h"

/* With the rights that the daemon has now, and as distrustful as at start. */
static int reopen(const struct file *file, int old, struct err *err)
{
	const struct open_file wish = {.path = file->path,
				       .mode = file->mode,
				       .perm = file->perm,
				       .uid = (uid_t)-1,
				       .gid = (gid_t)-1};
	struct made made;
	int fd = open_file(&wish, geteuid(), &made, err);
	int result = 0;

	if (fd < 0)
		return -1;
	if (sys_dup_to(fd, old) < 0 || sys_close_on_exec(old) < 0)
		result = err_sys(err, "cannot put '%s' in the place of the old one", file->path);
	sys_close(fd);
	return result;
}

void reopen_files(struct daemon *daemon, struct log *log)
{
	const struct spec *spec = daemon->spec;

	for (size_t i = 0; daemon->file_fds && i < spec->file_count; i++) {
		struct err err = {0};

		if (daemon->file_fds[i] < 0)
			continue;
		snprintf(err.key, sizeof err.key, "files.%s", spec->files[i].name);
		if (reopen(&spec->files[i], daemon->file_fds[i], &err) < 0)
			log_err(log, LEVEL_ERROR, &err);
	}
}
