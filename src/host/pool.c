#include "host/pool.h"

#include <stdlib.h>

#include "plan/limit.h"

static void no_work(uv_work_t *work)
{
	(void)work;
}

static void work_done(uv_work_t *work, int status)
{
	(void)status;
	free(work);
}

static int make_threads(uv_loop_t *loop, struct err *err)
{
	uv_work_t *work = malloc(sizeof *work);
	int code = work ? uv_queue_work(loop, work, no_work, work_done) : UV_ENOMEM;

	if (code == 0)
		return 0;
	free(work);
	return err_set(err, "cannot make the thread pool: %s", uv_strerror(code));
}

int pool_make(uv_loop_t *loop, const struct daemon *daemon, struct err *err)
{
	const struct spec *spec = daemon->spec;

	if (make_threads(loop, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->limit_count; i++)
		if (limit_is_late(&spec->limits[i]) && limit_set(spec, &spec->limits[i], err) < 0)
			return -1;
	return 0;
}
