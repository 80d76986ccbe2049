#include <string.h>

#include "spec/check.h"
#include "spec/kinds.h"
#include "spec/nearest.h"
#include "spec/parse.h"

static const mode_t FOLDER_MODE = 0750;

static char **place_of(void *base, const struct field *field)
{
	return (char **)((char *)base + field->offset);
}

static bool is_false(const struct value *value)
{
	return value->type == VALUE_BOOLEAN && !value->as.boolean;
}

static void put_path(struct check *check, const struct field *field, const char *path, void *base,
		     const struct value *value)
{
	const char *text = check_text(value);

	if (!text || !*text)
		check_expected(check, path, value, field->kind->expected, NULL);
	else
		*place_of(base, field) = check_path(check, text);
}

static void put_pidfile(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	check->spec->pidfile_given = true;
	if (!is_false(value))
		put_path(check, field, path, base, value);
}

static void put_control(struct check *check, const struct field *field, const char *path,
			void *base, const struct value *value)
{
	check->spec->control_wanted = !is_false(value);
	if (!is_false(value))
		put_path(check, field, path, base, value);
}

static void put_chroot(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	const char *text = check_text(value);

	if (text && strcmp(text, "auto") == 0)
		check->spec->chroot_auto = true;
	else if (text && !strchr(text, '/') && nearest_distance(text, "auto") < 2)
		check_expected(check, path, value, field->kind->expected, "auto");
	else
		put_path(check, field, path, base, value);
}

/* true, false, or the folder's mode. */
static void put_folder(struct check *check, const struct field *field, const char *path, void *base,
		       const struct value *value)
{
	struct folder *folder = (struct folder *)((char *)base + field->offset);
	const char *text = check_text(value);

	folder->mode = FOLDER_MODE;
	folder->wanted = value->type == VALUE_BOOLEAN ? value->as.boolean : true;
	if (value->type != VALUE_BOOLEAN && (!text || !parse_octal(text, &folder->mode)))
		check_expected(check, path, value, field->kind->expected, NULL);
}

static void put_paths(struct check *check, const struct field *field, const char *path, void *base,
		      const struct value *value)
{
	char **paths = kind_strings(check, field, path, value, NULL);

	for (size_t i = 0; paths && paths[i]; i++)
		paths[i] = check_path(check, paths[i]);
	*(char ***)((char *)base + field->offset) = paths;
}

const struct kind kind_path = {.name = "path", .expected = "a path", .put = put_path};
const struct kind kind_path_or_false = {
    .name = "path or false", .expected = "a path or false", .put = put_pidfile};
const struct kind kind_control = {
    .name = "path or false", .expected = "a path or false", .put = put_control};
const struct kind kind_chroot = {
    .name = "path or \"auto\"", .expected = "a path or \"auto\"", .put = put_chroot};
const struct kind kind_folder = {
    .name = "true, false or an octal mode",
    .expected = "true, false or an octal mode such as \"0750\"",
    .put = put_folder,
};
const struct kind kind_paths = {
    .name = "list of paths",
    .expected = "a list of folders or patterns such as { \"lib\", \"lib/?.lua\" }",
    .put = put_paths,
    .normal = kind_normal_list,
};
