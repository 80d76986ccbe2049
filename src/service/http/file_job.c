#include "service/http/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

/* --- on a thread of the pool --- */

/* Never waits for a peer of a fifo. */
enum { OPEN_FILE = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK };

/* The name of the next segment; false: it is none that is given away. */
static bool take_segment(const char **path, char name[NAME_MAX + 1])
{
	size_t length = strcspn(*path, "/");

	if (length > NAME_MAX || **path == '.')
		return false;
	memcpy(name, *path, length);
	name[length] = '\0';
	*path += length;
	return true;
}

static void leave(int folder)
{
	int code = errno;

	close(folder);
	errno = code;
}

/* Opens path below the folder at, which is closed. "" is the folder itself. */
static int walk(int at, const char *path)
{
	char name[NAME_MAX + 1];

	while (at >= 0) {
		bool last;
		int next;

		path += strspn(path, "/");
		if (!take_segment(&path, name)) {
			leave(at);
			errno = ENOENT;
			return -1;
		}
		last = path[0] == '\0';
		next = openat(at, name[0] ? name : ".",
			      last ? OPEN_FILE | O_NOFOLLOW
				   : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		leave(at);
		if (last)
			return next;
		at = next;
	}
	return -1;
}

static int open_it(const struct file_job *job)
{
	if (!job->folder)
		return open(job->path, OPEN_FILE);
	return walk(open(job->folder, O_PATH | O_DIRECTORY | O_CLOEXEC), job->path);
}

static int look(struct file_job *job)
{
	if (job->fd < 0 || fstat(job->fd, &job->stat) < 0)
		return -errno;
	return S_ISREG(job->stat.st_mode) || S_ISDIR(job->stat.st_mode) ? 0 : -EINVAL;
}

/* The index of the folder that is open takes its place. */
static int enter(struct file_job *job)
{
	int folder = job->fd;

	job->fd = openat(folder, job->index, OPEN_FILE | O_NOFOLLOW);
	leave(folder);
	job->name = job->index;
	return look(job);
}

static int read_block(struct file_job *job)
{
	ssize_t count;

	do
		count = pread(job->fd, job->bytes, FILE_BLOCK, (off_t)job->offset);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	job->length = (size_t)count;
	return (int)count;
}

static void run_read(struct fs_request *request)
{
	request->result = read_block((struct file_job *)request);
}

static void run_open(struct fs_request *request)
{
	struct file_job *job = (struct file_job *)request;

	job->fd = open_it(job);
	request->result = look(job);
	if (request->result == 0 && S_ISDIR(job->stat.st_mode) && job->slash)
		request->result = job->index ? enter(job) : -ENOENT;
	/* Most files are shorter than a block: one way to the pool is enough. */
	if (request->result == 0 && S_ISREG(job->stat.st_mode) && job->bytes &&
	    job->stat.st_size <= FILE_BLOCK)
		request->result = read_block(job) < 0 ? -EIO : 0;
}

/* --- on the loop's --- */

static void release(struct fs_request *request)
{
	struct file_job *job = (struct file_job *)request;

	if (job->fd >= 0)
		close(job->fd);
	free(job->bytes);
	free(job);
}

static const char *keep(char **at, const char *text)
{
	char *start = *at;

	if (!text)
		return NULL;
	*at = stpcpy(start, text) + 1;
	return start;
}

struct file_job *file_job_create(const char *folder, const char *path, const char *index,
				 bool slash)
{
	size_t size = strlen(path) + (folder ? strlen(folder) : 0) + (index ? strlen(index) : 0);
	struct file_job *job = calloc(1, sizeof *job + size + 3);
	char *at;

	if (!job)
		return NULL;
	at = job->texts;
	job->request.run = run_open;
	job->request.release = release;
	job->fd = -1;
	job->path = job->name = keep(&at, path);
	job->folder = keep(&at, folder);
	job->index = keep(&at, index);
	job->slash = slash;
	return job;
}

int file_job_read(struct file_job *job, uint64_t offset)
{
	if (!job->bytes)
		job->bytes = malloc(FILE_BLOCK);
	job->offset = offset;
	job->length = 0;
	job->request.result = 0;
	if (job->fd >= 0)
		job->request.run = run_read;
	return job->bytes ? 0 : -1;
}
