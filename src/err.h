#ifndef LUVD_ERR_H
#define LUVD_ERR_H

#include <stddef.h>

/* What went wrong: bytes only, fixed size, so that it can cross the status
 * channel from the daemon to the waiting launcher. This is the only place that
 * turns a failure into text:
 *
 *   [WHERE: ][KEY or STEP: ]WHAT[: strerror, lower case]
 *   echo.lua:12: listen.web: cannot bind tcp://0.0.0.0:80: permission denied
 *   chroot: cannot enter '/srv/echo': operation not permitted
 */

/* What the command exits with. The launcher uses no other code. */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,  /* this machine or the service refuses */
	EXIT_USAGE = 2,   /* wrong usage, or anything `check` finds */
	EXIT_RUNNING = 3, /* already running; for stop, reload, status: not running */
	EXIT_UNKNOWN = 4  /* status: cannot tell */
};

struct err {
	int exit;        /* enum exit_code; 0 means EXIT_FAILED */
	int code;        /* errno, or 0 when no system call failed */
	char step[16];   /* "chroot"; empty while the daemon file is being read */
	char where[160]; /* "echo.lua:7"; empty when no line is to blame */
	char key[96];    /* "listen.web"; empty when no key is to blame */
	char what[1600]; /* "cannot enter '/srv/echo'", or a message with traceback */
};

enum { ERR_TEXT_MAX = 2048 };

/* Both fill err->what (cut when too long) and return -1, so that failing is one
 * line. They leave step, where and key as they are. err may be NULL. */
int err_set(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same, and keeps errno, whose text err_text appends. */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The whole sentence, without "luvd: " and newline. Writes at most size bytes with the
 * closing 0 and returns text. */
const char *err_text(const struct err *err, char *text, size_t size);

/* strerror's words with the first letter lower case ("permission denied"). */
const char *err_reason(int code);

/* All errors of one reading of a daemon file. Zeroed is empty. At most ERRS_MAX
 * are kept; more are counted. */
enum { ERRS_MAX = 64 };
struct errs {
	struct err *list;
	size_t count;   /* in list */
	size_t dropped; /* found, but over ERRS_MAX */
	char **quotes;  /* of each in list: what to show beneath (spec/quote.h), or NULL; NULL: none
			   was made */
	char **seen;    /* absolute paths of what was read or looked for, NULL-terminated; a change
			   there may change the answer. NULL: nobody knows */
};

/* A fresh zeroed error at the end of the list to be filled, never NULL (over the limit, or
 * out of memory, it is a scratch entry that is counted). */
struct err *errs_add(struct errs *errs);
/* Makes room for all of them, where being out of memory must not end the process. 0 or -1. */
int errs_reserve(struct errs *errs);
/* Forgets all but the first count. */
void errs_cut(struct errs *errs, size_t count);
void errs_finish(struct errs *errs);

#endif
