#ifndef LUVD_SPEC_KINDS_H
#define LUVD_SPEC_KINDS_H

#include "spec/fields.h"

/* The kinds of values, a file each family. */

/* kind_plain.c */
extern const struct kind kind_text, kind_name, kind_count, kind_octal, kind_duration, kind_size,
    kind_config, kind_boolean, kind_group, kind_later, kind_names;
/* kind_path.c */
extern const struct kind kind_path, kind_path_or_false, kind_control, kind_chroot, kind_folder,
    kind_paths;
/* kind_listen.c */
extern const struct kind kind_listens, kind_listen, kind_addresses, kind_owner, kind_files,
    kind_file, kind_file_mode;
/* kind_process.c */
extern const struct kind kind_account, kind_accounts, kind_limits, kind_limit, kind_nice, kind_oom,
    kind_cpus, kind_ioprio, kind_capabilities, kind_keep, kind_variables, kind_variable;
/* kind_service.c */
extern const struct kind kind_service, kind_signals, kind_action, kind_log, kind_sink, kind_level,
    kind_format, kind_facility;
/* kind_workers.c */
extern const struct kind kind_workers, kind_restart, kind_policy, kind_over, kind_codes;

/* A table's rows below field; a plain value is put under the kind's shorthand. */
void kind_put_group(struct check *check, const struct field *field, const char *path, void *base,
		    const struct value *value);
/* Is value a table with names for keys? Else an error at path. */
bool kind_is_map(struct check *check, const struct field *field, const char *path,
		 const struct value *value);
/* The items of a list of strings, or of one string. to's texts live in the check's arena; NULL
 * after an error. right, when not NULL, says what each must be. */
char **kind_strings(struct check *check, const struct field *field, const char *path,
		    const struct value *value, bool (*right)(const char *text));
/* Errors for addresses that are listened on twice; after all rows are put. */
void kind_check_addresses(struct check *check);
/* Errors for listeners whose reuseport cannot be; after all rows are put. */
void kind_check_workers(struct check *check);
/* A list that says the same as value: itself, or the one thing it is. */
int kind_normal_list(const struct value *value, struct value *to);

#endif
