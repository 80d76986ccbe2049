#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plan/aim.h"
#include "plan/step.h"
#include "sys/sys.h"

static void describe_ids(const struct daemon *daemon, const struct aim *aim, FILE *out)
{
	const struct spec *spec = daemon->spec;

	if (!aim->ids) {
		fprintf(out, "stay uid %u, gid %u", (unsigned)aim->uid, (unsigned)aim->gid);
		return;
	}
	fprintf(
	    out, spec->drops ? "become %s for good (uid %u, gid %u, " : "stay %s (uid %u, gid %u, ",
	    spec->user_name ? spec->user_name : "the user", (unsigned)aim->uid, (unsigned)aim->gid);
	if (aim->gid_count == 0)
		fputs("no other groups)", out);
	else
		fputs("groups", out);
	for (size_t i = 0; i < aim->gid_count; i++)
		fprintf(out, " %u%s", (unsigned)aim->gids[i], i + 1 < aim->gid_count ? "," : ")");
	if (spec->drops)
		fputs("\nprove that no way leads back", out);
}

static void describe(const struct daemon *daemon, FILE *out)
{
	struct aim aim;

	aim_make(&aim, daemon);
	describe_ids(daemon, &aim, out);
	if (!aim.new_capabilities) {
		fputs("\nkeep root's capabilities", out);
		return;
	}
	fputs("\nkeep these capabilities: ", out);
	aim_print_capabilities(aim.capabilities, out);
	if (aim.new_bounding)
		fputs(", also for whatever is executed later", out);
}

static uint64_t needs(const struct spec *spec)
{
	uint64_t needs = 0;

	if (spec->drops)
		needs |= NEED_CAPABILITY(CAPABILITY_SETUID) | NEED_CAPABILITY(CAPABILITY_SETGID);
	for (size_t i = 0; i < spec->capability_count; i++)
		needs |= NEED_CAPABILITY(spec->capabilities[i]);
	return needs;
}

static int set_ids(const struct aim *aim, struct err *err)
{
	if (sys_groups_set(aim->gids, aim->gid_count) < 0)
		return err_sys(err, "cannot set the supplementary groups");
	if (sys_gid_set(aim->gid) < 0)
		return err_sys(err, "cannot become gid %u", (unsigned)aim->gid);
	if (sys_uid_set(aim->uid) < 0)
		return err_sys(err, "cannot become uid %u", (unsigned)aim->uid);
	return 0;
}

/* The kernel takes the capabilities of a process that leaves uid 0, unless told to keep them; then
 * they are cut down to what was asked for. */
static int become(const struct aim *aim, struct err *err)
{
	bool keep = aim->ids && aim->uid != 0 && aim->capabilities != 0;

	if (aim->new_bounding && sys_bounding_set(aim->bounding) < 0)
		return err_sys(err, "cannot empty the bounding set of capabilities");
	if (keep && sys_keep_capabilities(true) < 0)
		return err_sys(err, "cannot keep capabilities");
	if (aim->ids && set_ids(aim, err) < 0)
		return -1;
	if (aim->new_capabilities && sys_capabilities_set(aim->capabilities) < 0)
		return err_sys(err, "cannot set the capabilities");
	if (keep && sys_keep_capabilities(false) < 0)
		return err_sys(err, "cannot end keeping capabilities");
	return 0;
}

static int prove_no_return(const struct daemon *daemon, const struct aim *aim, struct err *err)
{
	const uid_t uids[] = {0, daemon->machine.uid, daemon->machine.euid};
	const gid_t gids[] = {0, daemon->machine.gid};

	for (size_t i = 0; i < sizeof gids / sizeof *gids; i++)
		if (gids[i] != aim->gid && !aim_has(aim->capabilities, CAPABILITY_SETGID) &&
		    sys_regain_gid(gids[i]) == 0)
			return err_set(err, "gid %u could be regained", (unsigned)gids[i]);
	for (size_t i = 0; i < sizeof uids / sizeof *uids; i++)
		if (uids[i] != aim->uid && !aim_has(aim->capabilities, CAPABILITY_SETUID) &&
		    sys_regain_uid(uids[i]) == 0)
			return err_set(err, "uid %u could be regained", (unsigned)uids[i]);
	return 0;
}

static int compare(const void *a, const void *b)
{
	gid_t left = *(const gid_t *)a, right = *(const gid_t *)b;

	return left < right ? -1 : left > right;
}

/* The kernel sorts the groups it is given. */
static bool same_groups(const struct aim *aim, struct sys_ids *ids)
{
	gid_t wanted[SYS_GROUPS_MAX];

	if (aim->gid_count != ids->group_count)
		return false;
	memcpy(wanted, aim->gids ? aim->gids : ids->groups, aim->gid_count * sizeof *wanted);
	qsort(wanted, aim->gid_count, sizeof *wanted, compare);
	qsort(ids->groups, ids->group_count, sizeof *wanted, compare);
	return memcmp(wanted, ids->groups, aim->gid_count * sizeof *wanted) == 0;
}

static int prove_ids(const struct aim *aim, struct err *err)
{
	struct sys_ids ids;

	if (sys_ids(&ids) < 0)
		return err_sys(err, "cannot read who we are");
	for (int i = 0; i < 3; i++)
		if (ids.uid[i] != aim->uid || ids.gid[i] != aim->gid)
			return err_set(err,
				       "uid %u, gid %u were asked for, but we are uid %u, gid %u",
				       (unsigned)aim->uid, (unsigned)aim->gid, (unsigned)ids.uid[i],
				       (unsigned)ids.gid[i]);
	if (aim->ids && !same_groups(aim, &ids))
		return err_set(err, "the supplementary groups are not those asked for");
	return 0;
}

static int prove_capabilities(const struct aim *aim, struct err *err)
{
	struct sys_capabilities have;

	if (sys_capabilities(&have) < 0)
		return err_sys(err, "cannot read our capabilities");
	if (!aim->new_capabilities)
		return 0;
	if (have.effective != aim->capabilities || have.permitted != aim->capabilities ||
	    have.inheritable != aim->capabilities || have.ambient != aim->capabilities ||
	    have.bounding != aim->bounding)
		return err_set(err, "the capabilities are not those asked for");
	return 0;
}

static int apply(struct daemon *daemon, struct err *err)
{
	struct aim aim;

	aim_make(&aim, daemon);
	if (aim.gid_count > SYS_GROUPS_MAX) {
		errno = EINVAL;
		return err_sys(err, "cannot set %zu supplementary groups", aim.gid_count);
	}
	if (become(&aim, err) < 0)
		return -1;
	if (aim.ids && prove_no_return(daemon, &aim, err) < 0)
		return -1;
	if (prove_ids(&aim, err) < 0 || prove_capabilities(&aim, err) < 0)
		return -1;
	if (daemon->machine.root && aim.new_capabilities && !aim.new_bounding)
		daemon_warn(daemon, "identity", 0,
			    "cannot empty the bounding set of capabilities: setpcap is missing");
	return 0;
}

const struct step step_identity = {
    .name = "identity",
    .roles = WORKER,
    .needs = needs,
    .describe = describe,
    .apply = apply,
};
