#include "host/log.h"
#include "sys/sys.h"

int log_pipe(int ends[2], struct err *err)
{
	if (sys_pipe(ends) < 0)
		return err_sys(err, "cannot make a pipe to the log");
	sys_pipe_size(ends[1], LOG_PIPE_SIZE);
	return 0;
}
