#include "cmd/cmd.h"

int cmd_version(struct daemon *daemon, const struct options *options)
{
	(void)daemon;
	(void)options;
	puts("luvd " LUVD_VERSION);
	return EXIT_DONE;
}
