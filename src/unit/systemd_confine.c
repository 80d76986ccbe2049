#include <stdbool.h>
#include <string.h>

#include "plan/aim.h"
#include "plan/duty.h"
#include "sys/sys.h"
#include "unit/places.h"
#include "unit/systemd.h"
#include "unit/words.h"

/* Confinement that luvd works in: what its own steps do must still be possible. */

/* --- capabilities --- */

static void print_capability(int capability, const char *before, FILE *out)
{
	fprintf(out, "%sCAP_", before);
	for (const char *p = sys_capability_name(capability); *p; p++)
		fputc(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p, out);
}

static void print_capabilities(const struct daemon *daemon, FILE *out)
{
	uint64_t mask = duty_whole(daemon);
	const char *before = "";
	struct aim aim;

	aim_make(&aim, daemon);
	if (!aim.new_capabilities) {
		fputs("# The service stays root and keeps its capabilities: `user` or "
		      "`capabilities`\n"
		      "# in the daemon file would bound them here too.\n",
		      out);
		return;
	}
	fputs("# What the steps of `luvd plan` and the monitor need; the service itself keeps ",
	      out);
	aim_print_capabilities(aim.capabilities, out);
	fputs(".\n# No User=: luvd becomes the user itself, for good, once all is opened.\n"
	      "CapabilityBoundingSet=",
	      out);
	for (int i = 0; i < CAPABILITIES; i++) {
		if (!aim_has(mask, i))
			continue;
		print_capability(i, before, out);
		before = " ";
	}
	fputc('\n', out);
}

/* --- files --- */

static const char *const temporary[] = {"/tmp", "/var/tmp", NULL};
static const char *const homes[] = {"/home", "/root", "/run/user", NULL};
static const char *const devices[] = {"/dev", NULL};

/* systemd gives no folder away that belongs to another user than the unit's: with StateDirectory=
 * all of it would be root's again at each start. */
static int print_folders(const struct unit *unit, FILE *out, struct err *err)
{
	const struct spec *spec = unit->daemon->spec;
	bool first = true;

	for (int i = 0; i < DIRECTORIES; i++) {
		if (!spec->folders[i].wanted)
			continue;
		fputs(first ? "# Made before the file system is read-only; luvd gives them owner "
			      "and mode.\n"
			    : "",
		      out);
		first = false;
		fputs("ExecStartPre=+/bin/mkdir -p ", out);
		if (words_systemd(out, spec->folders[i].path, err) < 0)
			return -1;
		fputc('\n', out);
	}
	return 0;
}

static int print_written(const struct unit *unit, FILE *out, struct err *err)
{
	struct written written;
	int result = written_make(&written, unit, err);

	for (size_t i = 0; result == 0 && i < written.count; i++) {
		fputs("ReadWritePaths=", out);
		result = words_systemd_path(out, "-", written.folders[i], err);
		fputc('\n', out);
	}
	written_finish(&written);
	return result;
}

static int print_files(const struct unit *unit, FILE *out, struct err *err)
{
	const struct spec *spec = unit->daemon->spec;
	bool shared = places_below(unit, temporary);

	fprintf(
	    out,
	    "# Lock, record and control socket. They stay: another luvd may hold the lock.\n"
	    "RuntimeDirectory=luvd/%s\nRuntimeDirectoryMode=0711\nRuntimeDirectoryPreserve=yes\n",
	    spec->name);
	if (print_folders(unit, out, err) < 0)
		return -1;
	fputs("# Only what the daemon file names is written to. Where the service itself writes\n"
	      "# elsewhere, say so in a drop-in (systemctl edit).\n"
	      "ProtectSystem=strict\n",
	      out);
	if (print_written(unit, out, err) < 0)
		return -1;
	fprintf(out, "ProtectHome=%s\n", places_below(unit, homes) ? "read-only" : "yes");
	if (shared)
		fputs("# The daemon file has to do with files in /tmp.\n"
		      "PrivateTmp=no\nReadWritePaths=/tmp /var/tmp\n",
		      out);
	else
		fputs("PrivateTmp=yes\n", out);
	if (!places_below(unit, devices))
		fputs("PrivateDevices=yes\n", out);
	return 0;
}

/* --- the kernel --- */

/* Only what is done by a seccomp filter: that a user's own manager can do too. */
static const char filters[] =
    "NoNewPrivileges=yes\n"
    "LockPersonality=yes\n"
    "MemoryDenyWriteExecute=yes\n"
    "RestrictNamespaces=yes\n"
    "RestrictRealtime=yes\n"
    "RestrictSUIDSGID=yes\n"
    "SystemCallArchitectures=native\n"
    "# Refused and not killed: luvd tries at the start that it cannot get back.\n"
    "SystemCallErrorNumber=EPERM\n"
    "SystemCallFilter=@system-service\n";

static const char kernel[] = "ProtectClock=yes\n"
			     "ProtectHostname=yes\n"
			     "ProtectKernelLogs=yes\n"
			     "ProtectKernelModules=yes\n"
			     "ProtectKernelTunables=yes\n"
			     "KeyringMode=private\n"
			     "UMask=0077\n";

static bool listens_on_network(const struct spec *spec)
{
	for (size_t i = 0; i < spec->listen_count; i++)
		for (size_t k = 0; k < spec->listens[i].address_count; k++)
			if (spec->listens[i].addresses[k].kind == ADDRESS_TCP ||
			    spec->listens[i].addresses[k].kind == ADDRESS_UDP)
				return true;
	return false;
}

static void print_sockets(const struct spec *spec, FILE *out)
{
	if (!listens_on_network(spec))
		fputs(
		    "# Nothing listens on the network: AF_UNIX alone is enough for a service that\n"
		    "# does not connect to others either.\n",
		    out);
	fputs("RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n", out);
}

/* A monitor looks at its workers in /proc; without CAP_SYS_PTRACE those of another user would be
 * invisible. */
static void print_processes(const struct daemon *daemon, FILE *out)
{
	if (daemon->spec->drops && !daemon_is_classic(daemon))
		fputs(
		    "# No ProtectProc=invisible: the monitor reads /proc of its workers, who are\n"
		    "# another user.\n",
		    out);
	else
		fputs("ProtectProc=invisible\n", out);
}

int systemd_confine(const struct unit *unit, FILE *out, struct err *err)
{
	const struct daemon *daemon = unit->daemon;
	bool roots = daemon->spec->chroot || daemon->spec->chroot_auto;

	if (daemon->machine.root) {
		print_capabilities(daemon, out);
		if (print_files(unit, out, err) < 0)
			return -1;
		print_processes(daemon, out);
		if (daemon_is_classic(daemon))
			fputs("ProtectControlGroups=yes\n", out);
		fputs(kernel, out);
	}
	print_sockets(daemon->spec, out);
	fputs(filters, out);
	if (daemon->machine.root && roots)
		fputs("SystemCallFilter=chroot\n", out);
	return 0;
}
