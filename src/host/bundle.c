#include "host/bundle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUNDLE_BYTES_MAX = 256 << 20 };

/* A file that is read by several processes: none may move the others' place in it. */
static int read_whole(int fd, unsigned char *bytes, size_t length, struct err *err)
{
	size_t have = 0;

	while (have < length) {
		ssize_t n = pread(fd, bytes + have, length - have, (off_t)have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, "cannot read the bundle");
		if (n == 0)
			return err_set(err, "the bundle is shorter than it was");
		have += (size_t)n;
	}
	return 0;
}

struct spec *bundle_read(int fd, struct err *err)
{
	struct spec *spec = NULL;
	struct stat stat;
	unsigned char *bytes;
	size_t length;

	if (fstat(fd, &stat) < 0) {
		err_sys(err, "cannot read the bundle");
		return NULL;
	}
	if (!S_ISREG(stat.st_mode) || stat.st_size <= 0 || stat.st_size > BUNDLE_BYTES_MAX) {
		err_set(err, "this is no bundle");
		return NULL;
	}
	length = (size_t)stat.st_size;
	bytes = malloc(length);
	if (!bytes) {
		err_set(err, "out of memory");
		return NULL;
	}
	if (read_whole(fd, bytes, length, err) < 0 || bundle_decode(&spec, bytes, length, err) < 0)
		spec = NULL;
	free(bytes);
	return spec;
}
