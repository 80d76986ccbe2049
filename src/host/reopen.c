#include "host/reopen.h"

#include "plan/open_file.h"

void reopen_files(struct daemon *daemon, struct log *log)
{
	const struct spec *spec = daemon->spec;

	for (size_t i = 0; daemon->file_fds && i < spec->file_count; i++) {
		struct err err = {0};

		if (daemon->file_fds[i] < 0)
			continue;
		snprintf(err.key, sizeof err.key, "files.%s", spec->files[i].name);
		if (open_file_anew(&spec->files[i], daemon->file_fds[i], &err) < 0)
			log_err(log, LEVEL_ERROR, &err);
	}
}
