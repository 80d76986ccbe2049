#include "spec/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_in(char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (strcmp(*keys, key) == 0)
			return true;
	return false;
}

/* Adds "config.banner, timeouts.stop", cut with "..." when there are too many. */
static void join(char *text, size_t size, char *const *keys)
{
	size_t used = strlen(text);

	for (size_t i = 0; keys[i]; i++) {
		if (used + strlen(keys[i]) + 8 > size) {
			snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", keys[i]);
	}
}

/* Code that is another one under the same keys is a change of the service. */
void change_tell(char *text, size_t size, const struct change *change)
{
	size_t used;

	join(text, size, change->keys);
	used = strlen(text);
	if (change->code && !is_in(change->keys, "service"))
		snprintf(text + used, size - used, "%sservice", change->count ? ", " : "");
	else if (change->count == 0)
		snprintf(text + used, size - used, "nothing has changed");
}

int change_needs_restart(const struct change *change, bool renewed, struct err *err)
{
	char **keys = calloc(change->count + 1, sizeof *keys), text[1024] = "needs restart: ";
	size_t count = 0;

	for (size_t i = 0; keys && i < change->count; i++)
		if (is_in(change->refused, change->keys[i]) ||
		    (renewed && is_in(change->renewed, change->keys[i])))
			keys[count++] = change->keys[i];
	if (keys)
		join(text, sizeof text, keys);
	free(keys);
	return err_set(err, "%s", text);
}
