#include "host/restrain.h"

#include <sys/resource.h>

#include "sys/sys.h"

/* 64 MiB of Lua, the texts, the bundle, and libraries of the name service. */
#define MEMORY ((rlim_t)768 << 20)

enum { CPU_SECONDS = 5 };

/* There in sanitizer builds only, whose shadow of all memory is larger than any limit. */
const char *__asan_default_options(void) __attribute__((weak));

static int limit(int resource, rlim_t value, struct err *err)
{
	struct rlimit have;

	if (sys_limit_get(resource, &have) < 0)
		return err_sys(err, "cannot read the limits");
	if (have.rlim_max != RLIM_INFINITY && have.rlim_max < value)
		value = have.rlim_max;
	return sys_limit_set(resource, value) < 0 ? err_sys(err, "cannot set the limits") : 0;
}

static int drop_privileges(struct err *err)
{
	uint64_t keep = UINT64_C(1) << CAPABILITY_DAC_READ_SEARCH;
	struct sys_capabilities have;

	if (sys_capabilities(&have) < 0)
		return err_sys(err, "cannot read our capabilities");
	keep &= have.permitted;
	if ((have.effective >> CAPABILITY_SETPCAP & 1) && sys_bounding_set(keep) < 0)
		return err_sys(err, "cannot empty the bounding set of capabilities");
	if (sys_capabilities_set(keep) < 0)
		return err_sys(err, "cannot set the capabilities");
	if (sys_no_new_privs() < 0)
		return err_sys(err, "cannot set no_new_privs");
	return 0;
}

int restrain(struct err *err)
{
	if (limit(RLIMIT_CPU, CPU_SECONDS, err) < 0 || limit(RLIMIT_CORE, 0, err) < 0 ||
	    limit(RLIMIT_FSIZE, 0, err) < 0)
		return -1;
	if (!__asan_default_options && limit(RLIMIT_AS, MEMORY, err) < 0)
		return -1;
	return drop_privileges(err);
}
