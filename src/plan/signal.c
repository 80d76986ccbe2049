#include "plan/signal.h"

#include <signal.h>

static const struct {
	int number;
	enum action action;
} defaults[] = {
    {SIGHUP, ACTION_RELOAD}, {SIGUSR1, ACTION_REOPEN}, {SIGUSR2, ACTION_UPGRADE},
    {SIGTERM, ACTION_STOP},  {SIGINT, ACTION_STOP},    {SIGQUIT, ACTION_STOP_NOW},
};
enum { DEFAULTS = sizeof defaults / sizeof *defaults };

int signal_default(size_t index)
{
	return index < DEFAULTS ? defaults[index].number : 0;
}

struct signal_action signal_action(const struct daemon *daemon, int number, bool by_kernel)
{
	const struct spec *spec = daemon->spec;

	if (daemon->monitor)
		return (struct signal_action){number == SIGTERM ? ACTION_STOP : ACTION_IGNORE,
					      NULL};
	if (number == SIGHUP && by_kernel && !daemon->background)
		return (struct signal_action){ACTION_STOP, NULL};
	for (size_t i = 0; i < spec->signal_count; i++)
		if (spec->signals[i].number == number)
			return (struct signal_action){spec->signals[i].action,
						      spec->signals[i].function};
	if (number == SIGINT && daemon->background)
		return (struct signal_action){ACTION_IGNORE, NULL};
	for (int i = 0; i < DEFAULTS; i++)
		if (defaults[i].number == number)
			return (struct signal_action){defaults[i].action, NULL};
	return (struct signal_action){ACTION_IGNORE, NULL};
}
