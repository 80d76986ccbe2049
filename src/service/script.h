#ifndef LUVD_SERVICE_SCRIPT_H
#define LUVD_SERVICE_SCRIPT_H

#include "plan/daemon.h"
#include "service/life.h"

/* A Lua state for a script, not for a daemon: all of Lua's libraries, the modules of luvd, and luv
 * on a loop of its own, which runs whenever the script waits (flow.h) and after its end, until
 * nothing keeps it alive. One in a process. */

struct script;
struct vm;

struct script_options {
	const char *program; /* what errors begin with: "lua" */
	const char *self;    /* path of what runs again as an interpreter, for uv.exepath */
	bool no_environment; /* LUA_PATH and the like are not read */
	/* Failures of tasks and what luvd.log is told; data is its first argument. */
	void (*log)(void *data, enum log_level level, const char *message, size_t length,
		    const struct log_field *fields, size_t count);
	void *data;
};

/* Fills daemon with a spec of nothing but defaults; daemon and what options point to outlive the
 * script. From the main thread. */
struct script *script_create(struct daemon *daemon, const struct script_options *options,
			     struct err *err);
/* Calls what an embedded module returns, "luvd.test.runner", with the arguments, NULL-terminated,
 * as the main flow; then runs the loop until nothing keeps it alive. Returns the exit code: the
 * integer or boolean that it has returned; EXIT_FAILED when it has raised, which is printed with
 * its traceback, or when some task has failed and nobody has asked for it. */
int script_run_module(struct script *script, const char *name, char **arguments);
/* Closes all that is open. Not from inside the loop. NULL is accepted. */
void script_destroy(struct script *script);
#endif
