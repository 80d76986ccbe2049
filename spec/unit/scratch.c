#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/plan.h"

static char folder[] = "/tmp/luvd-unit-XXXXXX";

const char *scratch_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

const char *scratch_make(void)
{
	static const char *const below[] = {"run", "var", "var/lib", "var/cache", "var/log"};

	memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < sizeof below / sizeof *below; i++)
		assert_int_equal(mkdir(scratch_path(below[i]), 0755), 0);
	return folder;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *walk)
{
	(void)stat;
	(void)flag;
	(void)walk;
	return remove(path);
}

void scratch_remove(void)
{
	assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

int scratch_has(const char *name)
{
	struct stat stat;

	return lstat(scratch_path(name), &stat) == 0;
}

void scratch_probe(struct sample *sample)
{
	struct err err = {0};
	struct machine *machine = &sample->daemon.machine;

	machine->notify_fd = -1;
	if (machine_probe(&sample->daemon, &err) < 0)
		fail_msg("%s", err.what);
	if (!sample->spec.drops) {
		sample->spec.uid = machine->euid;
		sample->spec.gid = machine->gid;
	}
}
