#include "plan/record.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/daemon.h"
#include "plan/folder.h"
#include "plan/lock.h"
#include "plan/unix.h"
#include "sys/sys.h"

/* --- writing --- */

static void put(FILE *out, const char *key, const char *value)
{
	fprintf(out, "%s ", key);
	for (const char *c = value; *c; c++) {
		if (*c == '\n')
			fputs("\\n", out);
		else if (*c == '\\')
			fputs("\\\\", out);
		else
			fputc(*c, out);
	}
	fputc('\n', out);
}

static void put_number(FILE *out, const char *key, uint64_t value)
{
	fprintf(out, "%s %" PRIu64 "\n", key, value);
}

static void put_file(FILE *out, const char *key, const char *path, dev_t device, ino_t inode)
{
	fprintf(out, "%s %ju %ju ", key, (uintmax_t)device, (uintmax_t)inode);
	put(out, "", path); /* the second blank is part of the form */
}

static const char *log_name(const struct spec *spec, enum sink_kind kind)
{
	switch (kind) {
	case SINK_STDERR:
		return "stderr";
	case SINK_STDOUT:
		return "stdout";
	case SINK_SYSLOG:
		return "syslog";
	case SINK_JOURNAL:
		return "journal";
	default:
		return spec->log.path ? spec->log.path : "";
	}
}

static void put_all(FILE *out, const struct daemon *daemon)
{
	const struct spec *spec = daemon->spec;

	put(out, "name", spec->name);
	put(out, "path", daemon->source.path ? daemon->source.path : "");
	put_number(out, "pid", (uint64_t)daemon->pid);
	put_number(out, "started", sys_started(daemon->pid));
	put_number(out, "generation", (uint64_t)daemon->generation);
	put(out, "control", spec->control_wanted && spec->control ? spec->control : "");
	put(out, "log", log_name(spec, daemon->sink.kind));
	put_number(out, "user", spec->uid);
	put_number(out, "starter", daemon->machine.uid);
	if (spec->pidfile)
		put_file(out, "pidfile", spec->pidfile, daemon->pidfile_device,
			 daemon->pidfile_inode);
	for (size_t i = 0; i < daemon->listener_count; i++) {
		const struct listener *listener = &daemon->listeners[i];

		if (listener->inode)
			put_file(out, "socket", unix_path(listener->address), listener->device,
				 listener->inode);
	}
}

static int make_text(const struct daemon *daemon, char **text, size_t *length, struct err *err)
{
	FILE *out = open_memstream(text, length);

	if (!out)
		return err_sys(err, "cannot make the record");
	put_all(out, daemon);
	if (fclose(out) != 0)
		return err_sys(err, "cannot make the record");
	if (*length > RECORD_BYTES_MAX)
		return err_set(err, "the record is larger than %d bytes", RECORD_BYTES_MAX);
	return 0;
}

/* A whole new file, so that a reader sees the old record or the new one. */
static int replace(int folder, const char *text, size_t length, struct made *made)
{
	int fd = sys_open_at(folder, "record.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	struct stat stat;
	int failed, code;

	if (fd < 0)
		return -1;
	failed = sys_write_at_start(fd, text, length) < 0 || sys_chmod(fd, 0644) < 0 ||
		 sys_stat(fd, &stat) < 0 || sys_rename_at(folder, "record.new", "record") < 0;
	sys_close(fd);
	if (!failed) {
		*made = (struct made){stat.st_dev, stat.st_ino};
		return 0;
	}
	code = errno;
	sys_discard_at(folder, "record.new");
	errno = code;
	return -1;
}

int record_write(struct daemon *daemon, struct err *err)
{
	const char *home = daemon->spec->home_folder;
	char *text = NULL;
	size_t length;
	int folder, result = -1;

	if (make_text(daemon, &text, &length, err) < 0)
		goto free_text;
	folder = sys_open(home, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
	if (folder < 0) {
		err_sys(err, "cannot open the folder '%s'", home);
		goto free_text;
	}
	result = replace(folder, text, length, &daemon->record_made);
	if (result < 0)
		err_sys(err, "cannot write '%s/record'", home);
	sys_close(folder);
free_text:
	free(text);
	return result;
}

/* --- reading --- */

/* Turns \\ and \n back, in place. */
static char *unescape(char *value)
{
	char *to = value;

	for (const char *from = value; *from; from++) {
		if (*from == '\\' && from[1]) {
			from++;
			*to++ = (char)(*from == 'n' ? '\n' : *from);
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
	return value;
}

static int get_file(char *value, struct record_file *file)
{
	char *end, *rest;

	errno = 0;
	file->device = (dev_t)strtoull(value, &end, 10);
	if (end == value || *end != ' ')
		return -1;
	file->inode = (ino_t)strtoull(end, &rest, 10);
	if (rest == end || *rest != ' ' || errno)
		return -1;
	file->path = unescape(rest + strspn(rest, " "));
	return 0;
}

static int get(struct record *record, const char *key, char *value)
{
	if (strcmp(key, "name") == 0)
		record->name = unescape(value);
	else if (strcmp(key, "path") == 0)
		record->path = unescape(value);
	else if (strcmp(key, "control") == 0)
		record->control = unescape(value);
	else if (strcmp(key, "log") == 0)
		record->log = unescape(value);
	else if (strcmp(key, "pid") == 0)
		record->pid = (pid_t)strtol(value, NULL, 10);
	else if (strcmp(key, "started") == 0)
		record->started = strtoull(value, NULL, 10);
	else if (strcmp(key, "generation") == 0)
		record->generation = (int)strtol(value, NULL, 10);
	else if (strcmp(key, "user") == 0)
		record->user = (uid_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "starter") == 0)
		record->starter = (uid_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "pidfile") == 0)
		return get_file(value, &record->pidfile);
	else if (strcmp(key, "socket") == 0 && record->socket_count < RECORD_SOCKETS_MAX)
		return get_file(value, &record->sockets[record->socket_count++]);
	return 0; /* a key of a newer luvd */
}

static int parse(struct record *record, char *text)
{
	char *rest = text, *line;

	record->name = record->path = record->control = record->log = record->pidfile.path = "";
	while ((line = strtok_r(rest, "\n", &rest))) {
		char *blank = strchr(line, ' ');

		if (!blank)
			return -1;
		*blank = '\0';
		if (get(record, line, blank + 1) < 0)
			return -1;
	}
	return record->pid > 0 && record->name[0] ? 0 : -1;
}

static ssize_t slurp(const char *path, char *text, size_t size)
{
	int fd = sys_try_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	ssize_t length;
	int code;

	if (fd < 0)
		return -1;
	length = sys_read_from_start(fd, text, size);
	code = errno;
	sys_close(fd);
	errno = code;
	return length;
}

int record_read(const char *home_folder, struct record *record, struct err *err)
{
	char path[4096];
	ssize_t length;

	memset(record, 0, sizeof *record);
	snprintf(path, sizeof path, "%s/record", home_folder);
	record->text = malloc(RECORD_BYTES_MAX + 1);
	if (!record->text)
		return err_set(err, "out of memory");
	length = slurp(path, record->text, RECORD_BYTES_MAX);
	if (length < 0) {
		err_sys(err, "cannot read '%s'", path);
		record_finish(record);
		return -1;
	}
	record->text[length] = '\0';
	if (parse(record, record->text) < 0) {
		record_finish(record);
		return err_set(err, "'%s' is not a record of luvd", path);
	}
	return 0;
}

void record_finish(struct record *record)
{
	free(record->text);
	memset(record, 0, sizeof *record);
}

bool record_is_alive(const struct record *record)
{
	if (sys_kill(record->pid, 0) < 0 && errno == ESRCH)
		return false;
	return record->started == 0 || sys_started(record->pid) == record->started;
}

int record_lock_held(const char *home_folder)
{
	char path[4096];
	int fd, held;

	snprintf(path, sizeof path, "%s/lock", home_folder);
	fd = sys_try_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	held = sys_lock_held(fd);
	sys_close(fd);
	return held;
}

/* Below HOME the lock proves that all is ours. */
static void discard_below(const char *home_folder, const char *name)
{
	struct stat stat;
	char path[4096];

	snprintf(path, sizeof path, "%s/%s", home_folder, name);
	if (sys_stat_at(AT_FDCWD, path, &stat) == 0)
		sys_discard(path, stat.st_dev, stat.st_ino);
}

int record_clean(const char *home_folder, const struct record *record, struct err *err)
{
	size_t length = strlen(home_folder);
	int lock = lock_take(home_folder, err);

	if (lock < 0)
		return -1;
	sys_discard(record->pidfile.path, record->pidfile.device, record->pidfile.inode);
	for (size_t i = 0; i < record->socket_count; i++)
		sys_discard(record->sockets[i].path, record->sockets[i].device,
			    record->sockets[i].inode);
	if (strncmp(record->control, home_folder, length) == 0 && record->control[length] == '/')
		discard_below(home_folder, record->control + length + 1);
	else if (record->control[0] == '/')
		unix_discard(record->control); /* elsewhere it is ours only while nobody listens */
	discard_below(home_folder, "record.new");
	discard_below(home_folder, "record");
	discard_below(home_folder, "root");
	lock_discard(home_folder, lock);
	sys_close(lock);
	return 0;
}
