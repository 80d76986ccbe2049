#include "service/files.h"

#include "service/fs_file.h"
#include "service/push.h"
#include "service/vm.h"

/* USR1 puts the new file behind the same descriptor, between two system calls: what one write(2)
 * has begun with a regular file it ends there, so no line is torn. */
static void push_file(lua_State *L, const struct file *declared, int fd)
{
	struct fs_file *file = fs_file_push(L, declared->path ? declared->path : declared->name,
					    declared->mode == 'r' ? FS_READS : FS_WRITES);

	file->fd = fd;
	file->declared = true;
}

void files_push(lua_State *L)
{
	const struct daemon *daemon = vm_of(L)->daemon;
	const struct spec *spec = daemon->spec;

	fs_files_open(L);
	lua_newtable(L);
	for (size_t i = 0; i < spec->file_count; i++) {
		push_file(L, &spec->files[i], daemon->file_fds[i]);
		lua_setfield(L, -2, spec->files[i].name);
	}
	push_guarded(L, "file");
}
