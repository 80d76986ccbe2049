#include "plan/sink.h"
#include "unit/lines.h"
#include "unit/places.h"
#include "unit/unit.h"
#include "unit/words.h"

/* A stanza for /etc/logrotate.d. The log is that of luvd start: run logs to standard error unless
 * the daemon file says otherwise. */

/* A classic daemon in another root can open nothing anew. */
static bool is_jailed(const struct daemon *daemon)
{
	return daemon_is_classic(daemon) && (daemon->spec->chroot || daemon->spec->chroot_auto);
}

static const struct folder *own_folder(const struct spec *spec)
{
	for (int i = 0; i < DIRECTORIES; i++)
		if (spec->folders[i].wanted &&
		    place_is_below(spec->log.path, spec->folders[i].path))
			return &spec->folders[i];
	return NULL;
}

/* Whose the new log is: the service's where the service's user opens it or owns its folder, else
 * of whoever rotates. */
static bool is_services(const struct daemon *daemon)
{
	return daemon->spec->drops && (daemon_is_classic(daemon) || own_folder(daemon->spec));
}

static void print_owner(const struct daemon *daemon, FILE *out)
{
	const struct spec *spec = daemon->spec;

	if (!daemon->machine.root)
		fputs("\tcreate 0640\n", out);
	else if (is_services(daemon))
		fprintf(out, "\tcreate 0640 %u %u\n", (unsigned)spec->uid, (unsigned)spec->gid);
	else
		fputs("\tcreate 0640 root root\n", out);
}

/* logrotate refuses a folder that a group may write to, unless it is told whom to be there. */
static void print_user(const struct daemon *daemon, FILE *out)
{
	const struct folder *folder = own_folder(daemon->spec);

	if (daemon->machine.root && folder && folder->mode & 022)
		fprintf(out, "\tsu %u %u\n", (unsigned)daemon->spec->uid,
			(unsigned)daemon->spec->gid);
}

/* The daemon is asked for its pid: a pidfile that was left would have USR1 end somebody else. The
 * first pid of the answer is meant; inside a string the quotes would have backslashes. */
static void print_signal(const struct unit *unit, FILE *out)
{
	fputs("\tpostrotate\n\t\tpid=$(", out);
	line_shell(unit, "status --json", false, out);
	fputs(" | grep -o '\"pid\":[0-9]*' | sed -n '1s/.*://p')\n"
	      "\t\t[ -z \"$pid\" ] || kill -USR1 \"$pid\"\n"
	      "\tendscript\n",
	      out);
}

int unit_logrotate(const struct unit *unit, FILE *out, struct err *err)
{
	const struct daemon *daemon = unit->daemon;

	if (sink_kind(daemon) != SINK_FILE)
		return err_set(spec_blame(daemon->spec, sink_key(daemon->spec), err),
			       "there is nothing to rotate: the log is no file");
	if (words_logrotate(out, daemon->spec->log.path, err) < 0)
		return -1;
	fputs(" {\n\tweekly\n\trotate 8\n\tcompress\n\tdelaycompress\n\tmissingok\n\tnotifempty\n",
	      out);
	print_user(daemon, out);
	if (is_jailed(daemon)) {
		fputs("\t# A classic daemon cannot open its log anew from inside its root.\n"
		      "\tcopytruncate\n",
		      out);
	} else {
		print_owner(daemon, out);
		print_signal(unit, out);
	}
	fputs("}\n", out);
	return 0;
}
