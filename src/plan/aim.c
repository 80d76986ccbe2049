#include "plan/aim.h"

#include "sys/sys.h"

bool aim_has(uint64_t mask, int capability)
{
	return mask >> capability & 1;
}

static uint64_t kept(const struct spec *spec)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < spec->capability_count; i++)
		mask |= UINT64_C(1) << spec->capabilities[i];
	return mask;
}

void aim_make(struct aim *aim, const struct daemon *daemon)
{
	const struct machine *machine = &daemon->machine;
	const struct spec *spec = daemon->spec;
	uint64_t have = machine->capabilities;

	*aim = (struct aim){
	    .uid = spec->uid, .gid = spec->gid, .gids = spec->gids, .gid_count = spec->gid_count};
	/* Root that stays root still leaves the launcher's groups behind, when it may. */
	aim->ids = spec->drops || (machine->root && aim_has(have, CAPABILITY_SETUID) &&
				   aim_has(have, CAPABILITY_SETGID));
	if (!aim->ids) {
		aim->uid = machine->euid;
		aim->gid = machine->gid;
	}
	/* Without `capabilities` only root that stays root has any. */
	aim->new_capabilities = spec->capabilities_given || spec->drops || !machine->root;
	aim->capabilities = aim->new_capabilities ? kept(spec) : have;
	aim->new_bounding = aim->new_capabilities && aim_has(have, CAPABILITY_SETPCAP);
	aim->bounding = machine->bounding & (aim->new_bounding ? aim->capabilities : UINT64_MAX);
}

void aim_print_capabilities(uint64_t mask, FILE *out)
{
	const char *separator = "";

	if (mask == 0)
		fputs("none", out);
	for (int i = 0; i < CAPABILITIES; i++) {
		if (!aim_has(mask, i))
			continue;
		fprintf(out, "%s%s", separator, sys_capability_name(i));
		separator = ", ";
	}
}

bool aim_in_group(const struct aim *aim, uint64_t group)
{
	for (size_t i = 0; i < aim->gid_count; i++)
		if (aim->gids[i] == group)
			return true;
	return false;
}
