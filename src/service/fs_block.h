#ifndef LUVD_SERVICE_FS_BLOCK_H
#define LUVD_SERVICE_FS_BLOCK_H

#include <stdint.h>
#include <sys/stat.h>

#include "service/fs_request.h"

/* Files for users in C, on the pool: open one with its stat, read it block by block. Both are
 * requests: set request.done (and request.lane), submit, take what you want in done and drop the
 * rest with fs_request_drop. NULL: out of memory.
 *
 *   struct fs_opening *opening = fs_opening_create(path, data);
 *   opening->request.done = on_opened;
 *   fs_request_submit(vm, &opening->request);
 *
 * A block is asked for when the one before has been sent: that is all the backpressure there is
 * to do. Before closing a descriptor be sure that no request uses it: give them a lane and close
 * it in done of the last, or in a request of the same lane. */

enum { FS_BLOCK_SIZE = 65536 };

/* Opens a file for reading; refuses what is neither a regular file nor a folder (then fd is
 * a folder's) with EINVAL, and never waits for a peer. result: 0 or -errno. */
struct fs_opening {
	struct fs_request request;
	void *data;
	int fd; /* take it and set -1, or it is closed with the request */
	struct stat stat;
	char path[];
};
struct fs_opening *fs_opening_create(const char *path, void *data);

/* Reads once. result: how many bytes, 0 at the end, or -errno. */
struct fs_block {
	struct fs_request request;
	void *data;
	int fd;
	int64_t offset; /* -1: where the descriptor stands */
	size_t size;
	char *bytes; /* malloc'd; take it and set NULL, or it is freed with the request */
};
struct fs_block *fs_block_create(int fd, int64_t offset, size_t size, void *data);

#endif
