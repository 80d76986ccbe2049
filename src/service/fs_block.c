#include "service/fs_block.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- opening --- */

static void run_open(struct fs_request *request)
{
	struct fs_opening *opening = (struct fs_opening *)request;

	opening->fd = open(opening->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (opening->fd < 0 || fstat(opening->fd, &opening->stat) < 0)
		request->result = -errno;
	else if (!S_ISREG(opening->stat.st_mode) && !S_ISDIR(opening->stat.st_mode))
		request->result = -EINVAL;
}

static void release_opening(struct fs_request *request)
{
	struct fs_opening *opening = (struct fs_opening *)request;

	if (opening->fd >= 0)
		close(opening->fd);
	free(opening);
}

struct fs_opening *fs_opening_create(const char *path, void *data)
{
	size_t size = strlen(path) + 1;
	struct fs_opening *opening = calloc(1, sizeof *opening + size);

	if (!opening)
		return NULL;
	opening->request.run = run_open;
	opening->request.release = release_opening;
	opening->data = data;
	opening->fd = -1;
	memcpy(opening->path, path, size);
	return opening;
}

/* --- blocks --- */

static void run_block(struct fs_request *request)
{
	struct fs_block *block = (struct fs_block *)request;
	ssize_t count;

	do
		count = block->offset < 0
			    ? read(block->fd, block->bytes, block->size)
			    : pread(block->fd, block->bytes, block->size, (off_t)block->offset);
	while (count < 0 && errno == EINTR);
	request->result = count < 0 ? -errno : (int)count;
}

static void release_block(struct fs_request *request)
{
	struct fs_block *block = (struct fs_block *)request;

	free(block->bytes);
	free(block);
}

struct fs_block *fs_block_create(int fd, int64_t offset, size_t size, void *data)
{
	struct fs_block *block = calloc(1, sizeof *block);

	if (!block)
		return NULL;
	block->request.run = run_block;
	block->request.release = release_block;
	block->data = data;
	block->fd = fd;
	block->offset = offset;
	block->size = size;
	block->bytes = malloc(size);
	if (block->bytes)
		return block;
	free(block);
	return NULL;
}
