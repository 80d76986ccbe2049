#include <string.h>

#include "unit/places.h"
#include "unit/unit.h"
#include "unit/words.h"

const struct unit_form unit_forms[] = {
    {"systemd", false, unit_systemd},
    {"rc.d", true, unit_rcd},
    {"s6", false, unit_s6},
    {"runit", false, unit_runit},
    {"logrotate", true, unit_logrotate},
    {NULL, false, NULL},
};

const struct unit_form *unit_form_find(const char *name, struct err *err)
{
	char names[128] = "";
	size_t length = 0;

	if (!name)
		return unit_forms;
	for (const struct unit_form *form = unit_forms; form->name; form++) {
		const char *before = length == 0 ? "" : form[1].name ? ", " : " or ";

		if (strcmp(form->name, name) == 0)
			return form;
		length += (size_t)snprintf(names + length, sizeof names - length, "%s%s", before,
					   form->name);
	}
	err->exit = EXIT_USAGE;
	err_set(err, "unit: --for: expected %s, got '%s'", names, name);
	return NULL;
}

static bool is_sane(void *data, const struct place *place)
{
	return words_check("a unit", place->path, data) == 0;
}

int unit_print(const struct unit_form *form, const struct unit *unit, FILE *out, struct err *err)
{
	return places_each(unit, is_sane, err) ? form->print(unit, out, err) : -1;
}
