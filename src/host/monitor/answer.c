#include "host/monitor/answer.h"

#include "host/monitor/renew.h"

static void on_status(void *data, bool json, FILE *out)
{
	struct monitor *monitor = data;
	struct crew_status status;
	const struct daemon *daemon = monitor->daemon;
	double uptime = (double)(monitor_now() - monitor->since) / 1000;
	const char *state;

	crew_status(monitor->crew, &status);
	state = monitor_state_name(status.state);
	if (json)
		fprintf(out, "{\"name\":\"%s\",\"pid\":%ld,\"state\":\"%s\",\"uptime\":%.3f}\n",
			daemon->spec->name, (long)daemon->pid, state, uptime);
	else
		fprintf(out, "name        %s\npid         %ld\nstate       %s\n", daemon->spec->name,
			(long)daemon->pid, state);
}

static void on_reload(void *data, struct control_client *client)
{
	renew_request(data, client);
}

static void on_stop(void *data, struct control_client *client)
{
	(void)client;
	monitor_stop(data, EXIT_DONE, false, "luvd stop");
}

int answer_open(struct monitor *monitor, struct err *err)
{
	const struct control_calls calls = {monitor, on_status, on_reload, on_stop};

	if (monitor->daemon->control_fd < 0)
		return 0;
	monitor->control =
	    control_create(&monitor->loop, monitor->daemon, monitor->log, &calls, err);
	return monitor->control ? 0 : -1;
}
