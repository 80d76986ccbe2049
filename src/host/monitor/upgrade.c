#include "host/monitor/action.h"

void monitor_upgrade(struct monitor *monitor)
{
	log_printf(monitor->log, LEVEL_WARN, "upgrade is not for a monitor yet: nothing is done");
}
