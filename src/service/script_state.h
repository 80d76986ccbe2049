#ifndef LUVD_SERVICE_SCRIPT_STATE_H
#define LUVD_SERVICE_SCRIPT_STATE_H

#include "service/flow.h"
#include "service/script.h"

/* What the files of a script share. */

struct script {
	struct vm *vm;
	uv_loop_t loop;
	struct daemon *daemon;
	struct script_options options;
	struct life_calls calls;
	struct flow flow;
	uv_async_t wake; /* ends a wait of the loop: the script is stopped */
	uv_timer_t beat; /* of the end */
	bool left;       /* uv.stop was called */
	bool failed;     /* somebody has to be told */
	bool has_timer;  /* of the deadline */
	timer_t timer;
	char late[48];           /* what is raised then; "": there is none */
	volatile int late_ticks; /* of its timer since */
	int on_failure;          /* reference to a function of luvd.script; LUA_NOREF */
};

/* --- script_base.c --- */

/* Opens all libraries; light userdata of the script at 1. */
int script_open(lua_State *L);
/* lua_pcall with a message handler that adds the traceback as lua does; reports what fails. */
int script_call(lua_State *L, int nargs, int nresults);
/* Prints "PROGRAM: MESSAGE" for the error on top, which is popped. */
void script_report(lua_State *L);

/* --- script_end.c --- */

/* Closes all that is open and runs the loop until it is gone; how many requests are left in the
 * thread pool. */
size_t script_close(struct script *script);
/* os.exit(code [, close]): the process ends. */
void script_exit(lua_State *L, int code, bool close);

/* --- script_stop.c --- */

void script_stop_open(struct script *script);
void script_stop_close(struct script *script);
/* After an interrupt: the next one is heard too. */
void script_stop_renew(struct script *script);
/* Raises why the script is stopped, if it is. */
void script_raise_stop(lua_State *L);
/* After so many milliseconds "took longer than 5s" is raised in the main flow, wherever it is, and
 * in whatever task is in its way; again each second. 0: no more. -1: the system refuses a timer. */
int script_deadline(struct script *script, int64_t duration);

/* --- script_uv.c --- */

/* Gives the library of luv on top of L what a script may do with the loop. */
void script_open_uv(lua_State *L);

/* --- script.c --- */

/* Calls body(L) as the main flow, with data as light userdata at 1; then runs the loop until
 * nothing keeps it alive. Returns the exit code, as script_run_module; body returns false when it
 * has failed and has said so. */
int script_run(struct script *script, lua_CFunction body, void *data);

/* Runs the loop, outside of the main flow, until nothing keeps it alive, uv.stop was called or the
 * script is stopped. Is there something alive? */
bool script_loop(struct script *script, uv_run_mode mode);

#endif
