#include "host/reopen.h"

#include <errno.h>
#include <fcntl.h>

#include "sys/sys.h"

static int flags_of(char mode)
{
	if (mode == 'r')
		return O_RDONLY;
	return O_WRONLY | O_CREAT | (mode == 'a' ? O_APPEND : O_TRUNC);
}

static int reopen(const struct file *file, int old, struct err *err)
{
	int fd = sys_open(file->path, flags_of(file->mode) | O_NOFOLLOW, file->perm);
	int result;

	if (fd < 0)
		return err_sys(err, "cannot open '%s' anew", file->path);
	result = sys_dup_to(fd, old) < 0 || sys_close_on_exec(old) < 0 ? -1 : 0;
	if (result < 0)
		err_sys(err, "cannot open '%s' anew", file->path);
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
