#ifndef LUVD_SPEC_SOURCE_H
#define LUVD_SPEC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Where a spec comes from: all that reading the daemon file depends on besides its
 * text. Kept from start and used again, unchanged, at every reload. */
struct source {
	char *path;         /* absolute path of the daemon file */
	char *shown;        /* as the user typed it, for messages ("echo.lua") */
	char **sets;        /* the arguments of --set, "config.x=5"; NULL-terminated */
	char **environment; /* the launcher's, "NAME=value"; NULL-terminated; host.env */
	char *hostname;     /* host.hostname */
	int cpus;           /* host.cpus */
	uid_t uid;          /* who runs it: 0 applies root's rules (--as root sets it) */
	uid_t owner;        /* files must belong to root or to this one (the caller) */
	char *scratch;      /* --scratch FOLDER, absolute; NULL: not given. See spec/scratch.h */
};

void source_finish(struct source *source);
/* The value of NAME in source->environment, or NULL. */
const char *source_getenv(const struct source *source, const char *name);
/* A deep copy. -1: out of memory. */
int source_copy(struct source *to, const struct source *from);

#endif
