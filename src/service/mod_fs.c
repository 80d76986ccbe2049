#include "service/modules.h"

#include <lauxlib.h>

#include "service/fs_call.h"
#include "service/fs_file.h"
#include "service/fs_watch.h"

int luaopen_luvd_fs(lua_State *L)
{
	static const luaL_Reg functions[] = {{"append", fs_l_append},
					     {"list", fs_l_list},
					     {"mkdir", fs_l_mkdir},
					     {"open", fs_l_open},
					     {"read", fs_l_read},
					     {"remove", fs_l_remove},
					     {"rename", fs_l_rename},
					     {"replace", fs_l_replace},
					     {"stat", fs_l_stat},
					     {"temporary", fs_l_temporary},
					     {"watch", fs_l_watch},
					     {"write", fs_l_write},
					     {NULL, NULL}};

	fs_files_open(L);
	fs_watches_open(L);
	luaL_newlib(L, functions);
	return 1;
}
