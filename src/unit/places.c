#include "unit/places.h"

#include <stdlib.h>
#include <string.h>

#include "plan/sink.h"

struct seer {
	bool (*see)(void *data, const struct place *place);
	void *data;
};

static bool tell(const struct seer *seer, const char *path, enum place_use use)
{
	const struct place place = {path, use};

	return !path || path[0] != '/' || seer->see(seer->data, &place);
}

static bool each_code(const struct unit *unit, const struct seer *seer)
{
	const struct spec *spec = unit->daemon->spec;
	bool more = tell(seer, unit->program, PLACE_READ) &&
		    tell(seer, unit->daemon->source.path, PLACE_READ);

	for (size_t i = 0; more && i < spec->module_count; i++)
		more = tell(seer, spec->modules[i].path, PLACE_READ);
	for (size_t i = 0; more && spec->lua_path && spec->lua_path[i]; i++)
		more = tell(seer, spec->lua_path[i], PLACE_READ);
	return more;
}

static bool each_socket(const struct spec *spec, const struct seer *seer)
{
	bool more = true;

	for (size_t i = 0; i < spec->listen_count; i++)
		for (size_t k = 0; more && k < spec->listens[i].address_count; k++)
			if (spec->listens[i].addresses[k].kind == ADDRESS_UNIX)
				more =
				    tell(seer, spec->listens[i].addresses[k].text + strlen("unix:"),
					 PLACE_MAKES);
	return more;
}

static bool each_file(const struct daemon *daemon, const struct seer *seer)
{
	const struct spec *spec = daemon->spec;
	bool more = tell(seer, spec->pidfile, PLACE_MAKES) &&
		    (!spec->control_wanted || tell(seer, spec->control, PLACE_MAKES));

	for (size_t i = 0; more && i < spec->file_count; i++)
		more = tell(seer, spec->files[i].path,
			    spec->files[i].mode == 'r' ? PLACE_READ : PLACE_MAKES);
	return more && (sink_kind(daemon) != SINK_FILE || tell(seer, spec->log.path, PLACE_MAKES));
}

static bool each_folder(const struct spec *spec, const struct seer *seer)
{
	bool more = tell(seer, spec->home_folder, PLACE_FOLDER);

	for (int i = 0; more && i < DIRECTORIES; i++)
		more = !spec->folders[i].wanted || tell(seer, spec->folders[i].path, PLACE_FOLDER);
	return more && tell(seer, spec->chdir, PLACE_READ) && tell(seer, spec->chroot, PLACE_ROOT);
}

bool places_each(const struct unit *unit, bool (*see)(void *data, const struct place *place),
		 void *data)
{
	const struct seer seer = {see, data};
	const struct spec *spec = unit->daemon->spec;

	return each_code(unit, &seer) && each_socket(spec, &seer) &&
	       each_file(unit->daemon, &seer) && each_folder(spec, &seer);
}

bool place_is_below(const char *path, const char *folder)
{
	size_t length = strlen(folder);

	if (length == 1)
		return true; /* the root */
	return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

static bool is_outside(void *data, const struct place *place)
{
	for (const char *const *folder = data; *folder; folder++)
		if (place_is_below(place->path, *folder))
			return false;
	return true;
}

bool places_below(const struct unit *unit, const char *const *folders)
{
	return !places_each(unit, is_outside, (void *)folders);
}

/* --- what is written to --- */

static bool is_written(const struct written *written, const char *folder)
{
	for (size_t i = 0; i < written->count; i++)
		if (place_is_below(folder, written->folders[i]))
			return true;
	return false;
}

static void drop_below(struct written *written, const char *folder)
{
	size_t left = 0;

	for (size_t i = 0; i < written->count; i++)
		if (place_is_below(written->folders[i], folder))
			free(written->folders[i]);
		else
			written->folders[left++] = written->folders[i];
	written->count = left;
}

static char *folder_of_place(const struct place *place)
{
	const char *slash = strrchr(place->path, '/');

	if (place->use != PLACE_MAKES)
		return strdup(place->path);
	return slash == place->path ? strdup("/")
				    : strndup(place->path, (size_t)(slash - place->path));
}

/* Takes folder over. */
static bool add(struct written *written, char *folder)
{
	char **list;

	if (folder && is_written(written, folder)) {
		free(folder);
		return true;
	}
	list = folder ? realloc(written->folders, (written->count + 1) * sizeof *list) : NULL;
	if (!list) {
		free(folder);
		return false;
	}
	written->folders = list;
	drop_below(written, folder);
	written->folders[written->count++] = folder;
	return true;
}

static bool take(void *data, const struct place *place)
{
	return place->use == PLACE_READ || add(data, folder_of_place(place));
}

int written_make(struct written *written, const struct unit *unit, struct err *err)
{
	*written = (struct written){0};
	return places_each(unit, take, written) ? 0 : err_set(err, "out of memory");
}

void written_finish(struct written *written)
{
	for (size_t i = 0; i < written->count; i++)
		free(written->folders[i]);
	free(written->folders);
	*written = (struct written){0};
}
