#include "host/monitor/renew.h"

int renew_open(struct monitor *monitor, struct err *err)
{
	(void)monitor;
	(void)err;
	return 0;
}

void renew_request(struct monitor *monitor, struct control_client *client)
{
	log_printf(monitor->log, LEVEL_WARN, "reload is not for a monitor yet: nothing is done");
	if (client)
		control_end(client, EXIT_FAILED, "reload is not for a monitor yet");
}

void renew_load(void *data)
{
	(void)data;
}

void renew_verdict(void *data, const struct err *err)
{
	(void)data;
	(void)err;
}

void renew_worker(void *data, struct worker_slot *slot, bool back)
{
	(void)data;
	(void)slot;
	(void)back;
}

void renew_current(struct monitor *monitor)
{
	(void)monitor;
}

void renew_close(struct monitor *monitor)
{
	(void)monitor;
}

void renew_destroy(struct monitor *monitor)
{
	(void)monitor;
}

bool renew_has(const struct monitor *monitor, pid_t pid)
{
	(void)monitor;
	(void)pid;
	return false;
}
