#ifndef LUVD_SERVICE_KIT_H
#define LUVD_SERVICE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <uv.h>

#include "plan/daemon.h"
#include "service/life.h"

/* A daemon filled by hand, with a service from a Lua text, on a loop of its own: what the tests
 * of the Lua side start from. */
struct kit {
	uv_loop_t loop;
	struct daemon daemon;
	struct listen listen;
	struct listener listeners[2];
	struct address addresses[2];
	struct file file;
	int file_fd;
	struct life *life;

	int started, reloaded, stopped, stop_asked; /* how often told */
	struct err start_err, reload_err, create_err;
	bool start_ok, reload_ok;
	int stop_code, asked_code;
	char status[64];
	char *log; /* "LEVEL message key=value ...\n" */
	size_t log_length;
	size_t log_at_start; /* how much of it was there when started was told */
	int destroyed;       /* specs */
	enum log_level level;
	int64_t wall; /* milliseconds since the epoch that the clock shows; 0: the system's */
};

/* The whole life of a test: the text is the daemon file with an inline service. The spec may be
 * changed between the two. */
struct kit *kit_create(const char *text);
/* life_create and life_start, until started is told. */
void kit_start(struct kit *kit);
/* Only life_create; what it says is in create_err. */
bool kit_load(struct kit *kit);
/* Adds a text to the bundle. */
void kit_module(struct kit *kit, const char *name, const char *path, const char *text);
/* The same of a C module, at the path of its file. */
void kit_c_module(struct kit *kit, const char *name, const char *path);
/* A tcp listener named "web" on a free port of loopback; then on one port more. */
void kit_listen(struct kit *kit);
void kit_listen_more(struct kit *kit);
/* A spec like the running one, with config = { banner = TEXT }. */
struct spec *kit_fresh(struct kit *kit, const char *banner);
void kit_banner(struct spec *spec, const char *banner);
/* Runs the loop until *flag is true; fails the test after 10 seconds. */
void kit_wait(struct kit *kit, const int *flag);
/* Runs the loop until the log holds text. */
void kit_wait_log(struct kit *kit, const char *text);
bool kit_logged(const struct kit *kit, const char *text);
/* life_stop until stopped is told. */
void kit_stop(struct kit *kit, bool now);
/* A blocking client: connects, and reads until text has come or the end; drives the loop. */
int kit_connect(struct kit *kit);
int kit_connect_to(struct kit *kit, size_t listener);
/* What the peer has sent so far, until it holds text (NULL: until the end). Static memory. */
const char *kit_expect(struct kit *kit, int fd, const char *text);
void kit_send(int fd, const char *text);
void kit_destroy(struct kit *kit);
void kit_finish(struct kit *kit); /* both */

/* A Lua text that runs inside start and logs what it has found. */
#define INSIDE(text)                                                                               \
	"local luvd, uv = require 'luvd', require 'uv'\n"                                          \
	"local log = luvd.log\n"                                                                   \
	"return { service = { start = function(daemon)\n" text "\nend } }\n"

/* The daemon file's text starts and logs what is expected; or fails to start, and says that. */
void kit_assert_logs(const char *text, const char *expected);
void kit_assert_fails(const char *text, const char *expected);

#endif
