#include "plan/limit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sys/sys.h"

const char *limit_text(rlim_t value, char text[LIMIT_TEXT_MAX])
{
	if (value == RLIM_INFINITY)
		snprintf(text, LIMIT_TEXT_MAX, "unlimited");
	else
		snprintf(text, LIMIT_TEXT_MAX, "%" PRIu64, (uint64_t)value);
	return text;
}

bool limit_is_late(const struct limit *limit)
{
	return limit->resource == RLIMIT_NPROC;
}

int limit_refuse(const struct spec *spec, const struct limit *limit, rlim_t allowed, int code,
		 struct err *err)
{
	char asked[LIMIT_TEXT_MAX], most[LIMIT_TEXT_MAX], key[64];

	snprintf(key, sizeof key, "limits.%s", limit->name);
	errno = code;
	return err_sys(spec_blame(spec, key, err), "cannot set %s: at most %s is allowed",
		       limit_text(limit->value, asked), limit_text(allowed, most));
}

int limit_set(const struct spec *spec, const struct limit *limit, struct err *err)
{
	struct rlimit now;
	char asked[LIMIT_TEXT_MAX], key[64];
	int code;

	if (sys_limit_set(limit->resource, limit->value) == 0)
		return 0;
	code = errno;
	if (sys_limit_get(limit->resource, &now) == 0 && limit->value > now.rlim_max)
		return limit_refuse(spec, limit, now.rlim_max, code, err);
	errno = code;
	snprintf(key, sizeof key, "limits.%s", limit->name);
	return err_sys(spec_blame(spec, key, err), "cannot set %s",
		       limit_text(limit->value, asked));
}
