#include "host/monitor/rules.h"

void rules_of(struct crew_rules *rules, const struct spec *spec)
{
	*rules = (struct crew_rules){
	    .workers = spec->workers,
	    .generations = spec->generations,
	    .timeout_start = spec->timeout_start,
	    .timeout_reload = spec->timeout_reload,
	    .timeout_stop = spec->timeout_stop,
	    .timeout_drain = spec->timeout_drain,
	    .restart = spec->restart,
	};
}
