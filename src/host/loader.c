#include "host/loader.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "spec/quote.h"
#include "sys/sys.h"

enum {
	BUNDLE_MAX = 64 * 1024 * 1024,
	ERRORS_MAX = 64 * 1024,
	WALL_MS = 10000 /* over the reader's own limits of 2 s and 5 s, which name the line */
};

/* What the process says on one of its descriptors. */
struct stream {
	uv_pipe_t pipe;
	char *bytes;
	size_t used, size, most;
};

struct loader {
	uv_loop_t *loop;
	struct daemon *daemon;
	void (*tell)(void *data, struct spec *fresh, const struct err *err);
	void *data;

	uv_timer_t timer;
	uv_pipe_t in;
	uv_write_t write;
	struct stream out, error;
	int open; /* pipes that are not closed yet */
	pid_t pid;
	char **seen; /* NULL-terminated */
	size_t seen_count;
	unsigned char *source;
	bool late, too_long, closed;
};

/* --- the end --- */

/* One line of standard error, with its newline, into what the verdict says; without "luvd: ", which
 * is said once. Quotes only while there is room for all that follows them. */
static size_t read_error(char *what, size_t used, size_t size, const char *line, size_t length)
{
	static const char prefix[] = "luvd: ";
	size_t skip = sizeof prefix - 1;

	if (*line == QUOTE_MARK && used + length > size / 2)
		return used;
	if (length >= skip && memcmp(line, prefix, skip) == 0) {
		line += skip;
		length -= skip;
	}
	if (length > size - 1 - used)
		length = size - 1 - used;
	memcpy(what + used, line, length);
	return used + length;
}

static void read_seen(struct loader *loader, const char *path, size_t length)
{
	if (!loader->seen)
		loader->seen = calloc(LOADER_SEEN_MAX + 1, sizeof *loader->seen);
	if (loader->seen && loader->seen_count < LOADER_SEEN_MAX &&
	    (loader->seen[loader->seen_count] = strndup(path, length)))
		loader->seen_count++;
}

static void read_errors(struct loader *loader, struct err *err)
{
	const char *line = loader->error.bytes, *end = line + loader->error.used;
	size_t used = 0;

	while (line < end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((stop ? stop + 1 : end) - line);

		if (*line == LOADER_SEEN)
			read_seen(loader, line + 1, length - 1 - (stop != NULL));
		else
			used = read_error(err->what, used, sizeof err->what, line, length);
		line += length;
	}
	while (used && err->what[used - 1] == '\n')
		used--;
	err->what[used] = 0;
}

/* What the kernel ends a process with that is over RLIMIT_CPU: the soft limit is the hard one. */
static bool is_over(int number)
{
	return number == SIGXCPU || number == SIGKILL;
}

/* It has ended by itself: 0 when what it wrote is to be read. */
static int check_exit(struct loader *loader, int status, struct err *err)
{
	if (WIFSIGNALED(status))
		return err_set(err, "reading the daemon file ended with signal %d (%s)%s",
			       WTERMSIG(status), strsignal(WTERMSIG(status)),
			       is_over(WTERMSIG(status)) ? ": over its limit of CPU time" : "");
	if (WEXITSTATUS(status) == 0)
		return 0;
	err_set(err, "the loader exited with code %d", WEXITSTATUS(status));
	if (!loader->error.used)
		return -1;
	read_errors(loader, err);
	err->exit = WEXITSTATUS(status);
	return -1;
}

static struct spec *judge(struct loader *loader, int status, struct err *err)
{
	const struct stream *out = &loader->out;
	struct spec *fresh = NULL;

	if (loader->late)
		err_set(err, "reading the daemon file took too long");
	else if (loader->too_long)
		err_set(err, "the daemon file and its modules are too large");
	else if (check_exit(loader, status, err) < 0 ||
		 bundle_decode(&fresh, (unsigned char *)out->bytes, out->used, err) < 0)
		return NULL;
	return fresh;
}

static void forget_seen(struct loader *loader)
{
	for (size_t i = 0; i < loader->seen_count; i++)
		free(loader->seen[i]);
	free(loader->seen);
	loader->seen = NULL;
	loader->seen_count = 0;
}

static void forget(struct loader *loader)
{
	free(loader->source);
	free(loader->out.bytes);
	free(loader->error.bytes);
	loader->source = NULL;
	loader->out = (struct stream){0};
	loader->error = (struct stream){0};
}

/* Its descriptors are all closed, so it is exiting: a kill cannot change how any more, and makes
 * the wait for it short whatever it does. */
static void ended(struct loader *loader)
{
	struct err err = {0};
	struct spec *fresh;
	int status = 0;

	sys_kill(loader->pid, SIGKILL);
	sys_wait(loader->pid, &status, 0);
	loader->pid = 0;
	if (loader->closed) {
		forget(loader);
		return;
	}
	fresh = judge(loader, status, &err);
	forget(loader);
	loader->tell(loader->data, fresh, fresh ? NULL : &err);
	forget_seen(loader);
}

static void on_closed(uv_handle_t *handle)
{
	struct loader *loader = handle->data;

	if (--loader->open == 0)
		ended(loader);
}

static void close_pipe(uv_pipe_t *pipe)
{
	if (!uv_is_closing((uv_handle_t *)pipe))
		uv_close((uv_handle_t *)pipe, on_closed);
}

static void finish_reading(struct loader *loader)
{
	bool out = uv_is_closing((uv_handle_t *)&loader->out.pipe);
	bool error = uv_is_closing((uv_handle_t *)&loader->error.pipe);

	if (!out || !error)
		return;
	uv_timer_stop(&loader->timer);
	close_pipe(&loader->in);
}

static void kill_now(struct loader *loader)
{
	sys_kill(loader->pid, SIGKILL);
	close_pipe(&loader->out.pipe);
	close_pipe(&loader->error.pipe);
	finish_reading(loader);
}

/* --- while it runs --- */

static void on_late(uv_timer_t *timer)
{
	struct loader *loader = timer->data;

	loader->late = true;
	kill_now(loader);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct loader *loader = handle->data;
	struct stream *stream =
	    handle == (uv_handle_t *)&loader->out.pipe ? &loader->out : &loader->error;
	size_t size = stream->size ? stream->size * 2 : 16384;
	char *more;

	(void)suggested;
	if (stream->used == stream->size && stream->size < stream->most) {
		more = realloc(stream->bytes, size < stream->most ? size : stream->most);
		if (more) {
			stream->bytes = more;
			stream->size = size < stream->most ? size : stream->most;
		}
	}
	/* An empty buffer makes libuv call on_read with ENOBUFS. */
	*buffer =
	    uv_buf_init(stream->bytes + stream->used, (unsigned)(stream->size - stream->used));
}

static void on_read(uv_stream_t *pipe, ssize_t n, const uv_buf_t *buffer)
{
	struct loader *loader = pipe->data;
	struct stream *stream =
	    pipe == (uv_stream_t *)&loader->out.pipe ? &loader->out : &loader->error;

	(void)buffer;
	if (n >= 0) {
		stream->used += (size_t)n;
		return;
	}
	if (n == UV_ENOBUFS) {
		loader->too_long = true;
		kill_now(loader);
		return;
	}
	close_pipe((uv_pipe_t *)pipe);
	finish_reading(loader);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status; /* a reader that is gone tells why itself */
	close_pipe((uv_pipe_t *)write->handle);
}

/* --- the beginning --- */

static void close_ends(int ends[3][2])
{
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 2; k++)
			if (ends[i][k] >= 0)
				sys_close(ends[i][k]);
}

static int spawn(struct loader *loader, int ends[3][2], struct err *err)
{
	char program[] = "luvd", command[] = "loader", resolve[] = "resolve";
	bool monitor = loader->daemon->spec->workers != 0;
	char *const arguments[] = {program, command, monitor ? resolve : NULL, NULL};

	for (int i = 0; i < 3; i++)
		if (sys_pipe(ends[i]) < 0)
			return err_sys(err, "cannot make a pipe to the loader");
	loader->pid =
	    sys_spawn_self(loader->daemon->self_fd, arguments, ends[0][0], ends[1][1], ends[2][1]);
	if (loader->pid < 0)
		return err_sys(err, "cannot start the loader");
	return 0;
}

static void open_pipe(struct loader *loader, uv_pipe_t *pipe, int *fd)
{
	/* Neither can fail: no system call but fcntl(2) on a descriptor that is open. */
	uv_pipe_init(loader->loop, pipe, 0);
	uv_pipe_open(pipe, *fd);
	pipe->data = loader;
	*fd = -1;
	loader->open++;
}

static void talk(struct loader *loader, size_t length)
{
	uv_buf_t buffer = uv_buf_init((char *)loader->source, (unsigned)length);

	uv_timer_start(&loader->timer, on_late, WALL_MS, 0);
	uv_read_start((uv_stream_t *)&loader->out.pipe, on_alloc, on_read);
	uv_read_start((uv_stream_t *)&loader->error.pipe, on_alloc, on_read);
	if (uv_write(&loader->write, (uv_stream_t *)&loader->in, &buffer, 1, on_written) < 0)
		close_pipe(&loader->in);
}

int loader_start(struct loader *loader, struct err *err)
{
	int ends[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
	size_t length;
	int result;

	loader->late = loader->too_long = false;
	if (source_encode(&loader->daemon->source, &loader->source, &length, err) < 0)
		return -1;
	result = spawn(loader, ends, err);
	if (result == 0) {
		loader->out.most = BUNDLE_MAX;
		loader->error.most = ERRORS_MAX;
		open_pipe(loader, &loader->in, &ends[0][1]);
		open_pipe(loader, &loader->out.pipe, &ends[1][0]);
		open_pipe(loader, &loader->error.pipe, &ends[2][0]);
	}
	close_ends(ends);
	if (result < 0) {
		loader->pid = 0;
		forget(loader);
		return -1;
	}
	talk(loader, length);
	return 0;
}

char *const *loader_seen(const struct loader *loader)
{
	return loader->seen;
}

pid_t loader_pid(const struct loader *loader)
{
	return loader->pid;
}

struct loader *loader_create(uv_loop_t *loop, struct daemon *daemon,
			     void (*tell)(void *data, struct spec *fresh, const struct err *err),
			     void *data, struct err *err)
{
	struct loader *loader = calloc(1, sizeof *loader);

	if (!loader) {
		err_set(err, "out of memory");
		return NULL;
	}
	loader->loop = loop;
	loader->daemon = daemon;
	loader->tell = tell;
	loader->data = data;
	uv_timer_init(loop, &loader->timer);
	loader->timer.data = loader;
	return loader;
}

void loader_close(struct loader *loader)
{
	if (loader->closed)
		return;
	loader->closed = true;
	uv_close((uv_handle_t *)&loader->timer, NULL);
	if (loader->pid > 0 && loader->open)
		kill_now(loader);
}

void loader_destroy(struct loader *loader)
{
	free(loader);
}
