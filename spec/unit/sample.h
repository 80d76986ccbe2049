#ifndef LUVD_SPEC_SAMPLE_H
#define LUVD_SPEC_SAMPLE_H

#include "plan/daemon.h"

/* Specs filled by hand, as spec_load and spec_resolve would leave them. What they point to is
 * static or belongs to the sample; sample_finish frees it. */

struct sample {
	struct daemon daemon;
	struct spec spec;
	struct listen listens[4];
	struct address addresses[8];
	struct file files[2];
	struct module modules[3];
	struct limit limits[2];
	int capabilities[2];
	gid_t gids[2];
	char home[256], pidfile[256], control[256], log[256], file[256];
	char folders[DIRECTORIES][256];
};

/* hello: nothing but a listener, run in the foreground by uid 1000 (or root, when root). */
void sample_hello(struct sample *sample, bool root);
/* jail: everything that root can ask for, started in the background; below base ("" for /run). */
void sample_jail(struct sample *sample, const char *base);
/* Makes a sample the worker 2 of 3 of generation 5, whose monitor has pid 99: channel 3, relay 5,
 * listeners from 6 on, then the file. */
void sample_worker(struct sample *sample);
void sample_listen(struct sample *sample, const char *name, const char *host, int port);
void sample_unix(struct sample *sample, const char *name, const char *file);
void sample_finish(struct sample *sample);

#endif
