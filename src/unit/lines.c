#include "unit/lines.h"

#include "unit/words.h"

void line_shell(const struct unit *unit, const char *command, bool sets, FILE *out)
{
	const struct source *source = &unit->daemon->source;

	words_shell(out, unit->program);
	fprintf(out, " %s ", command);
	words_shell(out, source->path);
	for (size_t i = 0; sets && source->sets && source->sets[i]; i++) {
		fputs(" --set ", out);
		words_shell(out, source->sets[i]);
	}
}
