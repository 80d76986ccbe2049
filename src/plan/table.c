#include "plan/step.h"

/* The order is the design: a row's comment says what breaks if it moves. */
const struct step *const steps[] = {
    &step_stdio,   /* first: any file opened before could become somebody's stdout */
    &step_context, /* before argv's files, NSS and Lua: nothing of a hostile launcher acts on us */
    &step_lock,    /* before anything is made: the losers of a race have touched nothing */
    &step_pidfile, /* under the lock, which proves a left pidfile stale; errors on the terminal */
    &step_paths,   /* under the lock; before the files and sockets that lie in these folders */
    &step_listen,  /* privileged: low ports; a taken port must fail on the terminal */
    &step_files,   /* privileged, and by paths of the full root */
    &step_log,    /* privileged, and by paths of the full root; fd 1 and 2 are still the caller's */
    &step_bundle, /* memory of the launcher that the daemon's processes share */
    &step_detach, /* last bare fork: no loop, no thread exists; all errors before it cost nothing */
    &step_output, /* stderr is given up last, when the real log stands */
    &step_record, /* only now is the daemon's pid known */
    &step_control,  /* by a path of the full root */
    &step_notify,   /* out of reach in a new root */
    &step_reduce,   /* after the last row that makes something outside; a worker starts with this */
    &step_inherit,  /* a worker begins here: nothing but what its monitor gives acts on it */
    &step_process,  /* the environment before warmup, which reads TZ; /proc for the oom score */
    &step_limits,   /* raising needs privilege */
    &step_warmup,   /* these files vanish with the root; modules need it too */
    &step_witness,  /* /proc vanishes with the root */
    &step_chroot,   /* after the last path outside is opened; needs SYS_CHROOT */
    &step_identity, /* the last that needs privilege */
    &step_confine,  /* after setresuid, which changes dumpable; acts on one thread: before the loop
		     */
    &step_tether,   /* after setresuid, which clears it */
    &step_audit,    /* after all that it proves, before any service code */
    &step_loop,     /* the first service code: unprivileged */
    &step_ready,    /* only now is it true */
    NULL,
};
