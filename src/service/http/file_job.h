#ifndef LUVD_SERVICE_HTTP_FILE_JOB_H
#define LUVD_SERVICE_HTTP_FILE_JOB_H

#include <stdint.h>
#include <sys/stat.h>

#include "service/fs_request.h"

/* A file that is sent: one request of the pool that is submitted again for each block, and owns the
 * descriptor, so that nobody closes it under a thread.
 *
 * With a folder the file is looked for below it, step by step with O_NOFOLLOW: no link is followed,
 * so none leads out, whoever can write into the folder; names that begin with a dot are not there.
 * (Linux's openat2 would allow links that stay inside, but it is one kernel's, and unknown to
 * filters of system calls that are older.) The folder itself may be reached over links. */

enum { FILE_BLOCK = 65536 };

struct file_job {
	struct fs_request request; /* result: 0 or -errno; of a block how many bytes */
	void *data;
	int fd;
	struct stat stat; /* a regular file, or a folder that the path should have named with "/" */
	uint64_t offset;  /* where the next block begins */
	size_t length;    /* of what is in bytes */
	char *bytes;      /* FILE_BLOCK; NULL: no block is wanted yet */
	const char *name; /* its last part is what was opened: for its type */
	const char *folder, *path, *index; /* NULL: none. In texts */
	bool slash;                        /* the path is a folder's: its index is meant */
	char texts[];
};

/* folder and index may be NULL; slash: whether the index of a folder is wanted. Submit it to open
 * the file. NULL: out of memory. Drop it at the end. */
struct file_job *file_job_create(const char *folder, const char *path, const char *index,
				 bool slash);
/* Makes the next submit read a block at offset. -1: out of memory. */
int file_job_read(struct file_job *job, uint64_t offset);

#endif
