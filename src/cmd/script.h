#ifndef LUVD_CMD_SCRIPT_H
#define LUVD_CMD_SCRIPT_H

#include "cmd/cmd.h"
#include "service/script.h"

/* What the commands that run a script share. */

/* Makes the script of this process: logs to standard error, reads the name service's files. The
 * program's name is what errors begin with. */
struct script *cmd_script_create(struct daemon *daemon, const char *program, bool no_environment,
				 struct err *err);
/* The path that runs a script again: luvd-lua beside this program, or the program itself when there
 * is none. Static. */
const char *cmd_script_self(void);

#endif
