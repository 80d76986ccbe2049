---@meta

-- The keys of a daemon file, for editors; made by docs/make.lua from src/spec/fields.c. The line above the return of a
-- daemon file asks for them: ---@type luvd.DaemonFile

---What a daemon file returns. `luvd help KEY` and luvd.conf(5) tell more.
---@class (exact) luvd.DaemonFile
---@field name? string what the daemon is called: its folders, pidfile, log and title; default: the file's base name
---@field description? string one line about the daemon, shown by status; default: ""
---@field service? string|luvd.Service the Lua code that runs in the event loop: start, reload, stop; default: none
---@field config? table plain data for the service: daemon.config; default: none
---@field workers? integer|"auto" processes that serve, under a monitor; "auto": one a CPU; 0: the classic daemon; default: 1
---@field listen? table<string, string|luvd.DaemonFile.Listen> sockets that are bound while privileges last: daemon.listeners.NAME; default: none
---@field files? table<string, luvd.DaemonFile.Files> files opened before privileges go: daemon.files.NAME; USR1 opens them anew; default: none
---@field pidfile? string|false where the process id is written; false: nowhere; default: root: /run/NAME.pid; others: $XDG_RUNTIME_DIR/NAME.pid
---@field user? string|integer whom the daemon becomes once nothing needs root any more; default: who starts it
---@field group? string|integer the group that the daemon gets with user; default: the user's primary group
---@field groups? (string|integer)[] supplementary groups, all others are dropped; default: none
---@field chroot? string|"auto" the folder that becomes the root; "auto": an empty unwritable one; default: none
---@field chdir? string the working folder, inside the chroot; default: "/"
---@field umask? string permissions taken away from new files; default: "027"
---@field directories? luvd.DaemonFile.Directories folders made for the daemon's user: daemon.directories.NAME; default: none
---@field environment? luvd.DaemonFile.Environment the service's environment; all else is cleared; default: none
---@field log? string|luvd.DaemonFile.Log where log lines go: a sink, a path, or a table with to, level, format, facility; default: none
---@field limits? table<string, luvd.Size|"unlimited"> resource limits of setrlimit(2): nofile, core, nproc, memlock, as, ...; default: none
---@field priority? luvd.DaemonFile.Priority how the kernel favours the daemon; default: none
---@field signals? table<string, "reload"|"reopen"|"upgrade"|"stop"|"stop-now"|"ignore"|string> what a signal does; default: HUP reload, USR1 reopen, USR2 upgrade, TERM stop, QUIT stop-now
---@field timeouts? luvd.DaemonFile.Timeouts how long parts of the daemon's life may take; default: none
---@field restart? "always"|"on-failure"|"never"|luvd.DaemonFile.Restart what happens when a worker dies: a policy, or a table; default: none
---@field generations? integer sets of workers at a time, those that drain included; a further reload waits; default: 3
---@field capabilities? string|string[] capabilities(7) kept after the drop; default: none with user; root keeps all
---@field lua? luvd.DaemonFile.Lua the Lua state of the service; default: none
---@field control? string|false the control socket; false: none; default: root: /run/luvd/NAME/control
---@field console? boolean luvd console may evaluate Lua in a worker, for root and the daemon's user; default: false

---The key `listen.NAME`. An address, or a table with address and options.
---@class (exact) luvd.DaemonFile.Listen
---@field address? string|string[] tcp://IP:PORT, tcp://*:PORT for both families, udp://IP:PORT, unix:/path or unix:@name; default: none
---@field backlog? integer connections that may wait to be accepted, listen(2); default: 511
---@field mode? string permissions of a unix socket's file; default: "0666"
---@field owner? string owner of a unix socket's file; default: none
---@field max_connections? integer open connections at a time; 0: as many as there are descriptors; default: 0
---@field max_per_peer? integer open connections from one IPv4 address, IPv6 /64 or local user; 0: any number; default: 0
---@field idle_timeout? luvd.Duration a connection that is silent for so long is closed; 0: never; default: 0
---@field write_buffer? luvd.Size bytes queued on a connection before conn:write waits; default: "256KiB"
---@field receive_buffer? luvd.Size SO_RCVBUF of socket(7), at most net.core.rmem_max; 0: the kernel's choice; default: 0
---@field reuseport? boolean a socket for each worker, SO_REUSEPORT of socket(7); default: false

---The key `files.NAME`. A table with path, mode and perm.
---@class (exact) luvd.DaemonFile.Files
---@field path? string the file's path; default: none
---@field mode? "r"|"a"|"w" read, append or write (emptied first); default: "r"
---@field perm? string permissions of a file that is made; default: "0640"

---The key `directories`. Folders made for the daemon's user: daemon.directories.NAME.
---@class (exact) luvd.DaemonFile.Directories
---@field runtime? boolean|string root: /run/NAME; others: $XDG_RUNTIME_DIR/NAME; default: false
---@field state? boolean|string root: /var/lib/NAME; others: ~/.local/state/NAME; default: false
---@field cache? boolean|string root: /var/cache/NAME; others: ~/.cache/NAME; default: false
---@field logs? boolean|string root: /var/log/NAME; others: ~/.local/state/NAME/log; default: false

---The key `environment`. The service's environment; all else is cleared.
---@class (exact) luvd.DaemonFile.Environment
---@field keep? string|string[] variables of the launcher to pass on; default: none
---@field set? table<string, string> variables to set, over all others; default: none

---The key `log`. Where log lines go: a sink, a path, or a table with to, level, format, facility.
---@class (exact) luvd.DaemonFile.Log
---@field to? string stderr, stdout, syslog, journal or a path; default: run: stderr; start: /var/log/NAME.log or ~/.local/state/NAME.log
---@field level? "debug"|"info"|"warn"|"error" the least level that is logged; default: "info"
---@field format? "text"|"json" lines of text or of JSON; default: "text"
---@field facility? string the facility of syslog(3); default: "daemon"

---The key `priority`. How the kernel favours the daemon.
---@class (exact) luvd.DaemonFile.Priority
---@field nice? integer nice value, setpriority(2); default: none
---@field oom_score? integer how early the kernel ends the daemon when memory is short, proc(5); default: none
---@field cpus? integer[] CPUs that the daemon may run on, sched_setaffinity(2); default: none
---@field ioprio? string I/O class and level, ioprio_set(2); default: none

---The key `timeouts`. How long parts of the daemon's life may take.
---@class (exact) luvd.DaemonFile.Timeouts
---@field start? luvd.Duration from the command to ready; default: "30s"
---@field reload? luvd.Duration for service.reload; default: "30s"
---@field stop? luvd.Duration for service.stop, drain and exit together; default: "30s"
---@field drain? luvd.Duration for connections of an old generation; a classic daemon has none; default: "60s"
---@field watchdog? luvd.Duration a worker whose event loop is silent for so long is replaced; 0: never; default: "30s"

---The key `restart`. What happens when a worker dies: a policy, or a table.
---@class (exact) luvd.DaemonFile.Restart
---@field policy? "always"|"on-failure"|"never" which dead workers are replaced; on-failure: all that did not exit with 0; default: "always"
---@field backoff? luvd.Duration the pause before the second restart in a window, doubled each time; default: "100ms"
---@field backoff_limit? luvd.Duration the longest pause before a restart; default: "30s"
---@field limit? integer deaths of one worker within the window that are too many; 0: never too many; default: 10
---@field window? luvd.Duration how long a death counts; default: "60s"
---@field over? "stop"|"go-on" over the limit: the daemon stops, or the others go on without the dead one; default: "stop"
---@field final_codes? integer[] exit codes of a worker that mean: do not replace it; default: none

---The key `lua`. The Lua state of the service.
---@class (exact) luvd.DaemonFile.Lua
---@field path? string|string[] folders, or patterns with a "?", searched for modules after the daemon file's; default: none
---@field preload? string|string[] modules to bundle that no literal require names; default: none
---@field memory? luvd.Size bytes that the Lua heap may take, the last eighth for buffers; 0: no cap; default: 0
---@field slice? luvd.Duration Lua that blocks the loop for longer has its traceback logged; 0: never; default: "1s"
---@field abort? luvd.Duration Lua that blocks the loop for longer gets an error; 0: never; default: 0
