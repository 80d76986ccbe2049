---@meta

-- Types of what luvd gives a service, for editors that read LuaCATS annotations; docs/make.lua makes the manual of them.

---Wrong use raises: an argument of another type, an unknown option or field, a call where nothing may wait. Failed work
---returns `nil, message, code`: the message is for people, the code is the system's name of the failure as libuv has it
---("ECONNRESET", "ENOENT"), or one of "EOF", "ETIMEDOUT", "ECLOSED", "EAGAIN", "EMSGSIZE".
---
---What waits suspends its task alone; other tasks run meanwhile. Waiting works inside pcall, iterators, metamethods and
---the service's own coroutines; where Lua cannot be suspended (`table.sort`, `string.gsub`) the error says so.

---A number of seconds, or a number with a unit: "250ms", "10s", "1.5m", "2h", "7d".
---@alias luvd.Duration number|string

---A number of bytes, or a number with a unit: "512B", "64KiB", "4MiB", "1GiB".
---@alias luvd.Size integer|string

---What a service module returns, and what `service` of a daemon file may hold inline.
---@class luvd.Service
---@field start fun(daemon: luvd.Daemon): nil, string? a task; returning means ready; raising, or `return nil, message`, fails the start
---@field reload? fun(daemon: luvd.Daemon, change: luvd.Change): nil, string? `daemon.config` is the new one already; raising, or `return nil, message`, refuses the reload and puts the old config back
---@field stop? fun(daemon: luvd.Daemon, reason: "stop"|"reload"|"upgrade") comes first: nothing new is accepted, no timer fires, handlers still run; "reload" and "upgrade": workers of another generation serve already
---@field [string] fun(daemon: luvd.Daemon, number: integer) called for a signal whose action is "service.NAME"

---What a reload has changed.
---@class (exact) luvd.Change
---@field config table the config before
---@field keys table<string, true> dotted paths that differ: `change.keys["config.banner"]`

---Where the daemon runs, as it was at the start.
---@class (exact) luvd.Host
---@field env table<string, string> the environment of the command that started the daemon
---@field hostname string the machine's name, uname(2)
---@field cpus integer how many processors this process may use, at least 1
---@field directory string the folder of the daemon file

---The daemon as its service sees it. An unknown field raises and names those that exist; so does an unknown name in
---`listeners`, `files` and `directories`.
---@class (exact) luvd.Daemon
---@field name string the key `name` of the daemon file
---@field config table plain data of the daemon file; replaced, not changed, by a reload
---@field listeners table<string, luvd.Listener> the entries of `listen`, by their names
---@field files table<string, luvd.File> the entries of `files`, by their names: opened for this worker before privileges were given up and, behind the same object, anew at USR1
---@field directories table<"runtime"|"state"|"cache"|"logs", string> the paths of those that the daemon file asks for
---@field worker integer which one of them this process is, 1 to `workers`; 1 in a classic daemon
---@field workers integer how many there are; 1 in a classic daemon
---@field generation integer 1 for the workers of the start, one more for each generation that followed; in a classic daemon one more with each accepted reload
---@field host luvd.Host what is known of the machine and of who started the daemon
---@field log luvd.Log what `require "luvd.log"` gives
local Daemon = {}

---Waits until all connections and their handlers have ended. Raises in a handler, which would wait for itself.
---@param timeout? luvd.Duration default: `timeouts.stop` of the daemon file, `timeouts.drain` when another generation serves already
---@return true? ok
---@return string? message
---@return "ETIMEDOUT"? code
function Daemon:drain(timeout) end

---Starts a task that belongs to the service: it outlives the handler that starts it and begins
---on the next turn of the loop. An error in it is logged with its traceback.
---@param fn fun(...: any)
---@param ... any what fn is called with
function Daemon:spawn(fn, ...) end

---An entry of `listen`, or what `net.listen` has opened.
---@class (exact) luvd.Listener
---@field name string of the entry; of `net.listen` its first address
---@field address string "tcp://127.0.0.1:49152": with the port that the kernel chose
---@field addresses string[] all of them, when there are several
local Listener = {}

---Closes one of `net.listen`, also by `<close>`: nothing more is accepted, the file of a unix
---socket is removed, open connections go on. Twice does nothing. Raises for an entry of `listen`.
function Listener:close() end

---The module "luvd.log": lines with fields, sent where the key `log` says. `daemon.log` and `luvd.log` are it too. Never
---waits and never fails: lines that nobody takes are dropped and counted. A line has at most 64 fields, which stand in
---the order of their names.
---@class (exact) luvd.Log
local Log = {}

---A line of level debug; costs next to nothing when `log.level` is above it.
---@param message any a value that is no string is shown as `tostring` shows it
---@param fields? table<string, any> nested tables become JSON; default: none
function Log:debug(message, fields) end

---A line of level info: what an administrator wants to read every day.
---@param message any as for `debug`
---@param fields? table<string, any> as for `debug`; default: none
function Log:info(message, fields) end

---A line of level warn: what may become a problem.
---@param message any as for `debug`
---@param fields? table<string, any> as for `debug`; default: none
function Log:warn(message, fields) end

---A line of level error: what has failed.
---@param message any as for `debug`
---@param fields? table<string, any> as for `debug`; default: none
function Log:error(message, fields) end

---A log that adds these fields to each line; a line's own field of the same name wins.
---@param fields table<string, any> in addition to those of this log
---@return luvd.Log
function Log:child(fields) end

---The level of the whole daemon: what is below is not logged, and its fields are not even looked
---at. With an argument sets it, and returns the one before. It stays until a reload whose daemon
---file says another `log.level` than before; a reload that is refused takes its own back.
---@param level? luvd.LogLevel the new one; default: none, only asks
---@return luvd.LogLevel before the call
function Log:level(level) end

---How important a line is, the least first. The key `log.level` has the first one of a daemon: "info".
---@alias luvd.LogLevel "debug"|"info"|"warn"|"error"

---What `luvd.every` and `luvd.cron` return. It lives until it is closed or the daemon stops, whether the service keeps it or
---not; a `<close>` variable closes it.
---@class (exact) luvd.Timer
local Timer = {}

---A new period, or of `luvd.cron` a new expression; counted from now on. Raises when it is wrong, and when the timer is
---closed.
---@param when luvd.Duration|string a period of at least a millisecond, or an expression
function Timer:set(when) end

---No further call; one that runs goes on.
function Timer:close() end

---The module "luvd": time, units, status, and the end.
---@class (exact) luvd
---@field log luvd.Log what `require "luvd.log"` gives
---@field version string as `luvd version` prints it: "0.1.0"
local luvd = {}

---Waits, with a precision of a millisecond.
---@param duration luvd.Duration
function luvd.sleep(duration) end

---Seconds of a clock that only goes forward, CLOCK_MONOTONIC: for differences.
---@return number seconds
function luvd.now() end

---Seconds: `luvd.duration "7d"` is 604800.
---@param duration luvd.Duration
---@return number seconds an integer when they are whole
function luvd.duration(duration) end

---Bytes: `luvd.size "64KiB"` is 65536.
---@param size luvd.Size
---@return integer bytes
function luvd.size(size) end

---Calls fn again and again, each call a task. The first call comes one period after the service is
---ready; calls never overlap; an error is logged and the timer goes on; stop disarms it. Each worker
---has its own timers: what is to happen once is for `daemon.worker == 1`.
---@param duration luvd.Duration at least a millisecond
---@param fn fun()
---@return luvd.Timer
function luvd.every(duration, fn) end

---Options of `luvd.cron`.
---@class (exact) luvd.CronOptions
---@field utc? boolean default false: local time, of the daemon's TZ or /etc/localtime

---Calls fn at the times of an expression of crontab(5): minute, hour, day of month, month and day
---of week, with lists, ranges, steps and names ("0,30 8-18/2 * * mon-fri"), or "@hourly", "@daily",
---"@midnight", "@weekly", "@monthly", "@yearly", "@annually". When day of month and day of week are
---both restricted one of them is enough. Raises when it is wrong, or never comes. As with `every`
---calls never overlap (a time that comes while a call runs is left out), an error is logged and
---the timer goes on, the first call comes after the service is ready, and stop disarms it.
---Clocks that change are treated as cron(8) does: a local time that does not exist that day comes
---right after the gap, one that comes twice comes once, and an expression with a wildcard in minute
---or hour just follows the wall clock. A clock that is set is noticed within a minute.
---@param expression string five fields, or a name with "@"
---@param fn fun() a task
---@param options? luvd.CronOptions
---@return luvd.Timer
function luvd.cron(expression, fn, options) end

---A line for `luvd status` and the service manager. With several workers the last that was said counts.
---@param text string at most 255 bytes are kept
function luvd.status(text) end

---Stops the daemon gracefully, all workers of it, and returns. Before the daemon is ready it fails the start.
---@param code? integer exit code of `luvd run`, 0 to 255; default 0
function luvd.stop(code) end

---The module "luvd.task": coroutines that wait beside each other. A task is a coroutine that luvd
---resumes. Tasks form trees: a task ends when
---its function has returned and its children have ended; when its function raises or it is
---cancelled, its children are cancelled first. Cancelling closes the coroutine: no pcall sees it,
---`<close>` values run, nothing in them may wait. Who waits longest is served first, and waking a task
---never runs it inside the call that wakes it.
---@class (exact) luvd.TaskModule
local task = {}

---Starts a child of the running task; it begins on the next turn of the loop. Inside `start` and
---`reload` it belongs to the service, as with `daemon:spawn`. What it raises is raised by the first
---`wait`; when nobody has asked for it within a second, it is logged with its traceback. Raises while
---the service is being loaded, inside a `<close>` value of a cancelled task, and when tasks are nested
---more than 256 deep.
---@param fn fun(...: any): ...: any
---@param ... any for fn
---@return luvd.Task
function task.spawn(fn, ...) end

---Runs the functions as children and waits for all. The first that raises cancels the others and is
---raised.
---@param ... fun(): any may be none: then nothing is waited for
---@return any ... the first value of each, in their order
function task.all(...) end

---Runs the functions as children until one has ended, and cancels the others. Raises when that one
---has raised.
---@param fn fun(): ...: any
---@param ... fun(): ...: any
---@return any ... what it has returned
function task.first(fn, ...) end

---Runs fn as a child and cancels it when it is late; nil, message, "ETIMEDOUT" then. Raises what fn
---raises.
---@param duration luvd.Duration
---@param fn fun(...: any): ...: any
---@param ... any for fn
---@return any ... what fn has returned
function task.timeout(duration, fn, ...) end

---A group of the running task, for a `<close>` variable.
---@return luvd.Group
function task.group() end

---A channel between tasks.
---@param capacity? integer values that nobody has received yet, 0 to 1048576; default 0: each send waits for its receiver
---@return luvd.Channel
function task.channel(capacity) end

---A semaphore: `task.semaphore(8)` lets eight tasks at a time do something.
---@param n integer permits, at least 1
---@return luvd.Semaphore
function task.semaphore(n) end

---A value for a `<close>` variable that calls fn when the block is left, however it is left. fn may
---wait unless an error or a cancellation leaves it.
---@param fn fun(err: any) err: the error that leaves the block, else nil
---@return table deferred
function task.defer(fn) end

---What `task.spawn` and `group:spawn` return. Losing it changes nothing for the task.
---@class (exact) luvd.Task
local Task = {}

---Waits for the end of the task and its children, and gives its results, again and again; raises its
---error. Raises when it waits for itself or for a task that it belongs to.
---@param options? luvd.WaitOptions
---@return any ... its results; or nil, message, "ETIMEDOUT" or "ECANCELED"
function Task:wait(options) end

---Cancels it and its children, the one started last first. A task that cancels itself or a task
---above it goes on until its next wait.
function Task:cancel() end

---Tasks that fail together. What one raises cancels the others and is raised, once, in the task that
---has made the group: by `wait`, or when the block is left. Leaving the block by an error cancels the
---tasks; leaving it otherwise, also by `break` and `return`, waits for them (Lua does not tell these
---apart; call `cancel` first).
---@class (exact) luvd.Group
local Group = {}

---Starts a task in the group; tasks of the group may do so as well. Raises when the group has ended.
---@param fn fun(...: any): ...: any
---@param ... any for fn
---@return luvd.Task
function Group:spawn(fn, ...) end

---Waits until no task of the group is left. Only for the task that has made it.
---@param options? luvd.WaitOptions
---@return true? ok
---@return string? message
---@return "ETIMEDOUT"? code
function Group:wait(options) end

---Cancels the tasks of the group.
function Group:cancel() end

---Values from task to task, first in, first out. A `<close>` variable closes it; `#channel` is how
---many values wait to be received.
---@class (exact) luvd.Channel
local Channel = {}

---Waits while the channel is full.
---@param value any not nil, which raises
---@param options? luvd.WaitOptions
---@return true? ok
---@return string? message
---@return "ETIMEDOUT"|"ECLOSED"? code the value is not sent
function Channel:send(value, options) end

---Never waits.
---@param value any not nil, which raises
---@return true? ok
---@return string? message
---@return "EAGAIN"|"ECLOSED"? code the value is not sent
function Channel:try_send(value) end

---Waits for a value; nil alone: the channel is closed and empty.
---@param options? luvd.WaitOptions
---@return any value
---@return string? message
---@return "ETIMEDOUT"? code
function Channel:receive(options) end

---`for value in channel:values() do`: until the channel is closed and empty.
---@return fun(channel: luvd.Channel): any
---@return luvd.Channel
function Channel:values() end

---Nothing more can be sent; what was sent can still be received. Senders that wait fail.
function Channel:close() end

---At most n tasks hold a permit.
---@class (exact) luvd.Semaphore
local Semaphore = {}

---Waits for a permit: `local permit <close> = semaphore:acquire()`.
---@param options? luvd.WaitOptions
---@return luvd.Permit? permit
---@return string? message
---@return "ETIMEDOUT"? code
function Semaphore:acquire(options) end

---Never waits.
---@return luvd.Permit? permit
---@return string? message
---@return "EAGAIN"? code
function Semaphore:try_acquire() end

---What `semaphore:acquire` returns, for a `<close>` variable. One that is lost without a release stays taken.
---@class (exact) luvd.Permit
local Permit = {}

---Gives it to who has waited longest, or back. Once more does nothing; a `<close>` variable does it.
function Permit:release() end

---The module "luvd.fs": files and folders, on a pool of threads. Every call but watch waits in its
---task while others run. Relative paths are relative to the working directory (`chdir` of the
---daemon file); inside a chroot all paths are those of the new root. A path with a NUL byte raises.
---A call that has failed returns nil, message, code ("ENOENT", "EACCES", "ENOSPC" ...); one that
---outlasts its timeout returns "ETIMEDOUT", and what it was to do may still be done.
---@class (exact) luvd.Fs
local fs = {}

---Options of calls that have no others.
---@class (exact) luvd.FsOptions
---@field timeout? luvd.Duration default: none

---Options of calls that read a whole file.
---@class (exact) luvd.FsReadOptions
---@field timeout? luvd.Duration default: none
---@field max? luvd.Size a longer file is refused with "EFBIG"; default "16MiB"

---Options of calls that read a file piece by piece.
---@class (exact) luvd.FsBlockOptions
---@field timeout? luvd.Duration default: none
---@field max? luvd.Size the longest block or line; default "64KiB"

---Options of calls that may make a file.
---@class (exact) luvd.FsWriteOptions
---@field timeout? luvd.Duration default: none
---@field mode? string octal permissions of a new file such as "0640", whatever the umask; default "0666" less the umask

---Options of `fs.stat`.
---@class (exact) luvd.FsStatOptions
---@field timeout? luvd.Duration default: none
---@field follow? boolean false: of a symbolic link itself; default true

---Options of `fs.mkdir`.
---@class (exact) luvd.FsMkdirOptions
---@field timeout? luvd.Duration default: none
---@field mode? string octal permissions of the folder, whatever the umask; default "0777" less the umask
---@field parents? boolean make missing folders above it too, and take one that is there for made; default false

---Options of `fs.remove`.
---@class (exact) luvd.FsRemoveOptions
---@field timeout? luvd.Duration default: none
---@field recursive? boolean a folder with all that is in it; default false

---Options of `fs.temporary`.
---@class (exact) luvd.FsTemporaryOptions
---@field timeout? luvd.Duration default: none
---@field directory? boolean a folder instead of a file; default false

---What is known of a path or an open file: inode(7).
---@class (exact) luvd.Stat
---@field type "file"|"directory"|"link"|"fifo"|"socket"|"char"|"block"|"unknown" "char" and "block" are devices
---@field size integer bytes
---@field mode string octal permissions: "0644"
---@field uid integer the owner's number
---@field gid integer the group's number
---@field links integer names of the file
---@field inode integer the same for all names of one file
---@field device integer number of the file system, st_dev of stat(2)
---@field modified number seconds since 1970, with a fraction: the contents
---@field changed number seconds since 1970, with a fraction: contents, owner, mode or names
---@field accessed number seconds since 1970, with a fraction

---The names in a folder, sorted by their bytes, without "." and "..".
---@param path string
---@param options? luvd.FsOptions
---@return string[]? names at most a million; more is "EOVERFLOW"
---@return string? message
---@return string? code of opendir(3) and readdir(3): "ENOENT", "ENOTDIR", "EACCES"; "EOVERFLOW", "ETIMEDOUT"
function fs.list(path, options) end

---What a path is.
---@param path string
---@param options? luvd.FsStatOptions
---@return luvd.Stat? stat
---@return string? message
---@return string? code of stat(2): "ENOENT", "EACCES"; "ETIMEDOUT"
function fs.stat(path, options) end

---All of a file.
---@param path string
---@param options? luvd.FsReadOptions
---@return string? bytes
---@return string? message
---@return string? code of open(2) and read(2): "ENOENT", "EACCES", "EISDIR"; "EFBIG", "ETIMEDOUT"
function fs.read(path, options) end

---Makes the file, or empties the one that is there, and writes all of it. Who reads it meanwhile,
---and a crash, meet half of it: see replace.
---@param path string
---@param bytes string|(string|number)[]
---@param options? luvd.FsWriteOptions
---@return true? ok
---@return string? message
---@return string? code of open(2) and write(2): "ENOENT", "EACCES", "ENOSPC"; "ETIMEDOUT"
function fs.write(path, bytes, options) end

---Writes behind the end of a file, which is made when it is not there.
---@param path string
---@param bytes string|(string|number)[]
---@param options? luvd.FsWriteOptions
---@return true? ok
---@return string? message
---@return string? code as `fs.write`
function fs.append(path, bytes, options) end

---Puts a new file in the place of the old one, in one step: whoever opens the path gets the old or
---the new file, whole, also after a crash (written beside it, fsync, rename, fsync of the folder).
---On failure the old one is still there; a crash may leave a file ".luvd-..." beside it. A new file has
---the mode that was asked for, else that of the old one; its owner is the daemon. A link is replaced,
---not followed.
---@param path string
---@param bytes string|(string|number)[]
---@param options? luvd.FsWriteOptions
---@return true? ok
---@return string? message
---@return string? code of open(2), write(2), fsync(2) and rename(2): "EACCES", "ENOSPC"; "ETIMEDOUT"
function fs.replace(path, bytes, options) end

---Gives a file or folder another name on the same file system; a file that has it goes.
---@param from string
---@param to string
---@param options? luvd.FsOptions
---@return true? ok
---@return string? message
---@return string? code of rename(2): "ENOENT", "EXDEV", "EACCES"; "ETIMEDOUT"
function fs.rename(from, to, options) end

---Removes a file, a link or an empty folder. `{ recursive = true }` empties a folder first: links
---in it are removed and never followed; another file system in it is "EXDEV", more than 128 folders
---within each other "EOVERFLOW"; what was removed until then stays removed.
---@param path string
---@param options? luvd.FsRemoveOptions
---@return true? ok
---@return string? message
---@return string? code of unlink(2) and rmdir(2): "ENOENT", "ENOTEMPTY", "EACCES"; "EXDEV", "EOVERFLOW", "ETIMEDOUT"
function fs.remove(path, options) end

---Makes a folder. One that is there is "EEXIST", unless parents is true.
---@param path string
---@param options? luvd.FsMkdirOptions
---@return true? ok
---@return string? message
---@return string? code of mkdir(2): "EEXIST", "ENOENT", "EACCES"; "ETIMEDOUT"
function fs.mkdir(path, options) end

---A file (mode 0600, open for writing) or folder (0700) that nobody else has, under a name that
---nobody guesses. It is removed, a folder with all that is in it, when it is closed, and by the
---garbage collector: `local file <close> = fs.temporary(daemon.directories.cache)`.
---@param folder? string default "/tmp", which an empty root has not
---@param options? luvd.FsTemporaryOptions
---@return luvd.File? file
---@return string? message
---@return string? code of open(2) or mkdir(2): "ENOENT", "EACCES", "ENOSPC"; "ETIMEDOUT"
function fs.temporary(folder, options) end

---Opens a file. Close it: `local file <close> = fs.open(path)`.
---@param path string
---@param mode? "r"|"w"|"a"|"x" read; write, emptied; append; write, must be new; default "r"
---@param options? luvd.FsWriteOptions of mode "r": timeout only
---@return luvd.File? file
---@return string? message
---@return string? code of open(2): "ENOENT", "EACCES", with mode "x" "EEXIST"; "ETIMEDOUT"
function fs.open(path, mode, options) end

---Calls fn, as a task, when a file changes, comes or goes, or anything in a folder does. It goes on
---when the file is replaced by another of its name. Changes within 50 ms are one call; calls never
---overlap; an error is logged and the watcher goes on. What changes before the service is ready is
---told then; when stop begins all watchers are closed. The folder that holds the path must exist, and
---nothing is told any more once it has been moved or removed itself.
---@param path string
---@param fn fun(path: string)
---@return luvd.Watcher? watcher
---@return string? message
---@return string? code of inotify_add_watch(2): "ENOENT", "EACCES", "ENOSPC" when the user has too many
function fs.watch(path, fn) end

---What `fs.watch` returns; can stand in `local watcher <close>`.
---@class (exact) luvd.Watcher
local Watcher = {}

---No further call; one that runs goes on.
function Watcher:close() end

---An open file: of fs.open, fs.temporary, or an entry of `files` in the daemon file. Calls of
---several tasks run one after another; a closed file returns nil, message, "ECLOSED". Reading one
---that is open for writing raises, and the other way round. Can stand in `local file <close>`.
---@class (exact) luvd.File
---@field path string as it was opened
local File = {}

---The next bytes. A read that was late has lost nothing: the next one gets them. One task at a time;
---a second one raises.
---@param options? luvd.FsBlockOptions
---@return string? bytes nil without message at the end of the file; one that has grown goes on
---@return string? message
---@return string? code of read(2): "EIO"; "ETIMEDOUT", "ECLOSED"
function File:read(options) end

---The next line without its "\n" or "\r\n"; the last one may lack it.
---@param options? luvd.FsBlockOptions
---@return string? line nil without message at the end of the file
---@return string? message
---@return string? code "EMSGSIZE": no end within max bytes; nothing has been taken
function File:read_line(options) end

---All of the file, wherever read stands.
---@param options? luvd.FsReadOptions
---@return string? bytes
---@return string? message
---@return string? code of read(2): "EIO"; "EFBIG", "ETIMEDOUT", "ECLOSED"
function File:read_all(options) end

---For blocks of the file; ends at its end, and at a failure, which failure() tells.
---@param options? luvd.FsBlockOptions
---@return fun(): string?
function File:chunks(options) end

---For the lines of the file; ends at its end, and at a failure, which failure() tells.
---@param options? luvd.FsBlockOptions
---@return fun(): string?
function File:lines(options) end

---Why the last read has failed.
---@return string? message nil: it has not
---@return string? code as `read` or `read_line` would have returned it
function File:failure() end

---Writes all of it; writes of several tasks never mix. One that fails (a full disk) may have written
---the beginning.
---@param bytes string|(string|number)[]
---@param options? luvd.FsOptions
---@return true? ok
---@return string? message
---@return string? code of write(2): "ENOSPC", "EDQUOT", "EIO", "EAGAIN" for a pipe that is full; "ETIMEDOUT", "ECLOSED"
function File:write(bytes, options) end

---Waits until all that was written is on the disk.
---@param options? luvd.FsOptions
---@return true? ok
---@return string? message
---@return string? code of fsync(2): "EIO", "ENOSPC"; "ETIMEDOUT", "ECLOSED"
function File:sync(options) end

---How long it is now.
---@param options? luvd.FsOptions
---@return integer? bytes
---@return string? message
---@return string? code of fstat(2); "ETIMEDOUT", "ECLOSED"
function File:size(options) end

---What it is.
---@param options? luvd.FsOptions
---@return luvd.Stat? stat
---@return string? message
---@return string? code of fstat(2); "ETIMEDOUT", "ECLOSED"
function File:stat(options) end

---The next read begins this many bytes from the start. Of files that are open for reading.
---@param offset luvd.Size
---@param options? luvd.FsOptions
---@return true? ok
---@return string? message
---@return string? code of lseek(2): "ESPIPE" for a pipe; "ETIMEDOUT", "ECLOSED"
function File:seek(offset, options) end

---Closes it when what was asked of it before is done; a temporary one is removed. An entry of
---`files` belongs to luvd: closing it raises.
---@return true? ok
---@return string? message
---@return string? code of close(2): "ENOSPC", "EIO"; "ECLOSED" when it is closed already
function File:close() end

---The module "luvd.net": connections and datagrams.
---@class (exact) luvd.Net
local net = {}

---Serves a listener; returns at once. Accepting begins when start has returned. Each connection
---has a task of its own; when the handler and its children have ended its connection is closed, when
---it raises the error is logged and only its own connection is lost. When its peer has broken the
---connection that is one line of level info. Raises when the listener is served already, and while
---the daemon stops.
---
---A listener whose addresses are udp gives its handler a socket: one handler for each address, which
---runs until the daemon stops. When it raises the error is logged and the next datagram calls it
---again (after a second when it had taken none); when it returns, its socket is closed, with a warning.
---@param listener luvd.Listener
---@param handler fun(conn: luvd.Conn)|fun(socket: luvd.Socket)
function net.serve(listener, handler) end

---Opens a connection. The addresses of a name, from /etc/hosts as it was at the start, else from the
---name servers, are tried one after the other, each with its share of the time; works in an empty root.
---The connection is closed by `conn:close()`, by `<close>`, by the collector, or by the end of the
---service; `daemon:drain` does not wait for it. A wrong address raises.
---@param address string "tcp://example.org:80", "tcp://192.0.2.1:80", "tcp://[::1]:80", "unix:/path", "unix:@name"
---@param options? luvd.ConnectOptions
---@return luvd.Conn? conn
---@return string? message of the last address that was tried: "tcp://db:5432: connection refused"
---@return string? code "ECONNREFUSED" or another of connect(2); "ETIMEDOUT"; "EAI_NONAME": no such name; "EAI_AGAIN": no name server has answered, or 1000 questions are on their way
function net.connect(address, options) end

---Options of `net.connect`.
---@class (exact) luvd.ConnectOptions
---@field timeout? luvd.Duration of the whole call, the lookup of the name too; default "10s"

---The options of an entry of `listen`, by the same rules.
---@class (exact) luvd.ListenOptions
---@field backlog? integer connections that may wait to be accepted; default 511
---@field mode? string permissions of a unix socket's file; default "0666"
---@field max_connections? integer open at a time, in this worker; default 0: as many as there are descriptors
---@field max_per_peer? integer open from one IPv4 address, IPv6 /64 or local user, others are reset; default 0: any number
---@field idle_timeout? luvd.Duration after which a silent connection is closed; default 0: never
---@field write_buffer? luvd.Size queued before conn:write waits; default 256KiB
---@field reuseport? boolean others may listen at the same address, SO_REUSEPORT of socket(7); tcp and udp; default false
---@field receive_buffer? luvd.Size of the kernel, SO_RCVBUF of socket(7); default 0: the kernel's

---Opens a listener with the rights that the service still has; `net.serve` then serves it, at once when
---start has returned. It is this worker's alone: others that listen at the same address need `reuseport`, and so does
---the next generation of a reload.
---One that nobody serves is closed when it is collected. Wrong addresses and options raise. Only
---inside a task or callback of a service that starts or runs.
---@param address string|string[] "tcp://127.0.0.1:0", "tcp://*:80", "unix:/path", "unix:@name"; a relative path is relative to the daemon file's folder
---@param options? luvd.ListenOptions
---@return luvd.Listener? listener
---@return string? message
---@return string? code "EADDRINUSE", "EACCES", or another of bind(2)
function net.listen(address, options) end

---Options of calls that wait for bytes.
---@class (exact) luvd.ReadOptions
---@field timeout? luvd.Duration of the whole call; default: none
---@field max? luvd.Size of the result; default 64KiB

---Options of calls that wait.
---@class (exact) luvd.WaitOptions
---@field timeout? luvd.Duration of the whole call; default: none

---A connection. After a read timeout ("ETIMEDOUT") and after "EMSGSIZE" and "EOF" it can be used
---on; after any other failure every call returns that failure at once. Only one task may read at
---a time.
---@class (exact) luvd.Conn
---@field peer string "tcp://127.0.0.1:49152"; "unix:" for a unix socket
---@field local_address string our end, in the same form; "closed" afterwards
---@field listener? luvd.Listener where it was accepted; nil of one that `net.connect` has opened
local Conn = {}

---Waits for bytes and returns those that are there; nil alone: the peer has ended the stream.
---@param options? luvd.ReadOptions
---@return string? bytes
---@return string? message
---@return string? code "ETIMEDOUT", "ECLOSED" after `close`, or of recv(2): "ECONNRESET"
function Conn:read(options) end

---Waits for n bytes.
---@param n luvd.Size
---@param options? luvd.WaitOptions
---@return string? bytes nil alone: the stream had ended before
---@return string? message
---@return string? code "EOF" when the stream ended inside
---@return string? partial what came before that end
function Conn:read_exactly(n, options) end

---Waits for text and returns what comes before it.
---@param text string at least one byte
---@param options? luvd.ReadOptions
---@return string? bytes nil alone: the stream had ended before
---@return string? message
---@return string? code "EMSGSIZE": more than max bytes without it, which stay unread
---@return string? partial with "EOF"
function Conn:read_until(text, options) end

---Waits for a line and returns it without "\n" or "\r\n".
---@param options? luvd.ReadOptions
---@return string? line nil alone: the stream had ended before
---@return string? message
---@return string? code "EMSGSIZE": more than max bytes without an end, which stay unread
---@return string? partial with "EOF"
function Conn:read_line(options) end

---Iterates over `read`; ends at the end of the stream and at a failure, see `failure`.
---@param options? luvd.ReadOptions
---@return fun(): string?
function Conn:chunks(options) end

---Iterates over `read_line`; ends at the end of the stream and at a failure, see `failure`.
---@param options? luvd.ReadOptions
---@return fun(): string?
function Conn:lines(options) end

---Why the connection, or the last read, has failed.
---@return string? message
---@return string? code as the call that failed has returned it
function Conn:failure() end

---Sends all of it; waits while more than the listener's `write_buffer` (256KiB) is queued. The
---bytes of one call stay together. A timeout breaks the connection.
---@param bytes string|(string|number)[]
---@param options? luvd.WaitOptions
---@return true? ok
---@return string? message
---@return string? code "ETIMEDOUT", "EPIPE" after `shutdown`, "ECLOSED" after `close`, or of send(2): "ECONNRESET"
function Conn:write(bytes, options) end

---As `write`, but never waits: when the queue is too long nothing of it is queued.
---@param bytes string|(string|number)[]
---@return true? ok
---@return string? message
---@return string? code "EAGAIN": nothing was queued; else as `write`
function Conn:try_write(bytes) end

---Says after what is queued that nothing more will come; reading goes on.
---@return true? ok
---@return string? message
---@return string? code "ECLOSED" after `close`, or why the connection is broken
function Conn:shutdown() end

---Closes; what is queued is sent first, for at most `timeouts.stop`. Never waits.
function Conn:close() end

---Closes at once; what is queued is lost, the peer sees a reset.
function Conn:reset() end

---Where a handler of datagrams takes and sends them. A datagram waits in the kernel until it is asked for; what its buffer
---(`receive_buffer`) has no room for is lost. When the daemon stops what has come is given still, then the end. Only one
---task may take at a time. It is closed when its handler ends.
---@class (exact) luvd.Socket
---@field local_address string "udp://127.0.0.1:8125"; "closed" once its handler has ended
---@field listener? luvd.Listener where it takes datagrams; nil once its handler has ended
local Socket = {}

---`for bytes, peer in socket:packets() do`: until the daemon stops or the socket is closed, with a timeout also when no
---datagram has come in time.
---@param options? luvd.WaitOptions of each datagram
---@return fun(): string?, string? iterator of the bytes, which may be "", and the sender, "udp://192.0.2.1:49152"
function Socket:packets(options) end

---Waits for one datagram; nil alone: the daemon stops.
---@param options? luvd.WaitOptions
---@return string? bytes may be ""
---@return string? peer who has sent it; or, when bytes is nil, the message
---@return string? code "ETIMEDOUT", "ECLOSED", or of recvfrom(2)
function Socket:receive(options) end

---Sends one datagram; waits, at most 5 seconds, when the kernel has no room. That it was sent says nothing of its arrival.
---A peer that is no such address raises.
---@param bytes string|(string|number)[] at most 65507
---@param peer string as `packets` gives it; an address, no name
---@return true? ok
---@return string? message
---@return string? code "EMSGSIZE", "ECLOSED", or of sendto(2): "EAGAIN", "ENETUNREACH"
function Socket:send(bytes, peer) end

---Takes no more datagrams; those that wait in the kernel are lost. A loop over `packets` ends. Twice does nothing.
function Socket:close() end

---The value that stands for null; only one, compared with ==, and true in a condition.
---@class luvd.Null

---Options of `json.decode`.
---@class (exact) luvd.DecodeOptions
---@field null? any what null becomes everywhere, `json.null` for example; default: `json.null` in an array and alone, in an object the member is absent
---@field depth? integer of arrays and objects inside each other, 1 to 1000; default 64
---@field max? luvd.Size of the text; default 64MiB

---Options of `json.encode`.
---@class (exact) luvd.EncodeOptions
---@field indent? integer spaces a level, 0 to 8; default 0: all in one line
---@field depth? integer of tables inside each other, 1 to 1000; default 64
---@field max? luvd.Size of the result; default 64MiB

---The module "luvd.json": JSON as in RFC 8259, strict both ways.
---@class (exact) luvd.Json
---@field null luvd.Null what null in an array is
local json = {}

---What a text says. Numbers without fraction and exponent are integers, exact up to 64 bits; larger
---ones, and "-0", are floats. Of members with one name the last counts. Arrays come marked as by
---`json.array`. The text is UTF-8 without a byte order mark; `\u` escapes become UTF-8, half of a
---surrogate pair is an error; so are a number beyond a double and one of more than 1000 digits.
---@param text string
---@param options? luvd.DecodeOptions an unknown one raises
---@return any value a string, number, boolean, table or null; nil only with a message
---@return string? message line and character first: "3:7: expected ',' or '}'"
---@return "EJSON"? code
function json.decode(text, options) end

---The value as JSON. A table with the keys 1 to n is an array, one with strings as keys an object,
---an empty one `{}` unless `json.array` has marked it; metamethods are not asked. Members come in no
---order. nil and `json.null` are null. Integers are exact; floats have the digits that read back as
---the same number, at most 17, and no fraction when they are whole: 3.0 is 3, as in JavaScript.
---
---Raises with the way to what JSON has no form for: "config.list[3]: cannot encode a function". That
---is a function, thread or userdata; nan and inf; a string that is not UTF-8; a table with other keys,
---with both kinds, or with nil between its items; tables deeper than `depth`, as in a cycle; a
---result longer than `max`.
---@param value any
---@param options? luvd.EncodeOptions an unknown one raises
---@return string
function json.encode(value, options) end

---Marks a table as an array, so that it is `[]` when it is empty; what is not an array then raises.
---The mark is a metatable: a table with another one raises.
---@generic T: table
---@param list T
---@return T list the same table
function json.array(list) end

---An error or a status of RESP, or null: what no other Lua value stands for. `tostring` gives its text.
---@class luvd.RespLine

---How much of a reply is taken.
---@class (exact) luvd.RespOptions
---@field depth? integer of arrays inside each other, 1 to 1000; default 64
---@field max? luvd.Size of a reply; default 64MiB

---The module "luvd.resp": RESP, the protocol of Redis (version 2), for servers and for clients. Pure
---functions of bytes, strict; what they say of bytes that have come does not change when more come.
---@class (exact) luvd.Resp
---@field null luvd.RespLine the null string and the null array: "$-1\r\n"
---@field ok luvd.RespLine the status "OK"
local resp = {}

---The next request of a client: an array of strings, or a line of words.
---
---The arguments are put into a table that may be given again and again: it is never cleared, behind
---its first `count` items are those of earlier requests. A length beyond a limit, a number with
---spaces, plus or needless zeros, and a value that no CRLF follows are errors; after one the rest of
---the bytes means nothing.
---@param bytes string
---@param at? integer where it begins; default 1
---@param arguments? string[] default: a new table
---@param max_value? luvd.Size of one argument, and of a line; default 1MiB
---@param max_arguments? integer default 1024
---@return integer? count of the arguments; 0: the request is empty, or not whole yet
---@return integer|string next the position behind it, `at` when it is not whole yet; or the message
---@return string[]|"ERESP" arguments the table; or the code
---@return integer? missing bytes, at least, of a request that is not whole yet
function resp.decode_request(bytes, at, arguments, max_value, max_arguments) end

---The next reply of a server. Strings and statuses are strings, integers are exact, null is
---`resp.null`, arrays are tables, errors are values that `is_error` knows.
---@param bytes string
---@param at? integer where it begins; default 1
---@param options? luvd.RespOptions an unknown one raises
---@return any value nil: an error, or, without a message, not whole yet
---@return integer|string|nil next the position behind it; or the message
---@return "ERESP"? code
function resp.decode(bytes, at, options) end

---A value as a reply: strings, integers, lists of values (the items 1 to n, at most 64 deep), nil and
---`resp.null`, and what `status` and `error` make. Raises for anything else.
---@param value any
---@return string
function resp.encode(value) end

---The replies for the items 1 to count, one behind the other: the answers to a pipeline in one string.
---@param values any[] may have nil among them, as null
---@param count? integer default `#values`
---@return string
function resp.encode_all(values, count) end

---A request, as a client sends it: `resp.command("SET", key, value)`. Other arguments raise.
---@param name string
---@param ... string|number
---@return string
function resp.command(name, ...) end

---A status to encode; line ends in it become spaces.
---@param text string "PONG"
---@return luvd.RespLine
function resp.status(text) end

---An error to encode; line ends in it become spaces.
---@param message string "ERR no such key": its first word is the kind
---@return luvd.RespLine
function resp.error(message) end

---Is it an error, from `decode` or `error`?
---@param value any
---@return boolean
function resp.is_error(value) end

---The module "luvd.http": HTTP/1.0 and 1.1.
---@class (exact) luvd.Http
local http = {}

---Serves a listener; returns at once. Accepting begins when start has returned. Each request has a
---task of its own; requests of one connection are handled in order, one at a time. When the handler
---raises, or returns what is no answer, the client gets 500 and the log the traceback with the
---request's id; when its client goes away it is cancelled, and the log has one info line.
---
---Requests that two programs could read in two ways are refused with 400, and the connection is
---closed: a bare LF or CR, folded lines, a space before a colon, control characters, a missing or
---second Host, odd or several Content-Length, Content-Length beside Transfer-Encoding, another
---Transfer-Encoding than "chunked". An unknown method and CONNECT are 501, another version 505,
---another expectation than 100-continue 417.
---@param listener luvd.Listener
---@param handler luvd.HttpHandler|luvd.HttpObject
---@param options? luvd.HttpOptions
function http.serve(listener, handler, options) end

---A function that answers requests. What it returns is the answer: text (200), a status from 200 to
---599 with or without text, or a table.
---@alias luvd.HttpHandler fun(request: luvd.Request): string|integer|luvd.Answer, string?

---An object whose method serves.
---@class luvd.HttpObject
---@field handle fun(self: luvd.HttpObject, request: luvd.Request): string|integer|luvd.Answer, string? answers as a handler does

---Options of `http.serve`. Each limit that is reached is logged once per burst.
---@class (exact) luvd.HttpOptions
---@field max_line? luvd.Size of a request line, else 414; default 8KiB, at most 60KiB
---@field max_head? luvd.Size of a head, else 431; default 32KiB, at most 60KiB
---@field max_headers? integer fields of a head, else 431; default 100, at most 200
---@field max_body? luvd.Size of a request's body: 413 before it is read when Content-Length says so; default 1MiB
---@field header_timeout? luvd.Duration from the first byte of a head to its last, else 408; default 10s
---@field body_timeout? luvd.Duration that a handler waits for a body longer than one at `min_rate` takes, else 408; default 30s
---@field write_timeout? luvd.Duration in which a client has to take what is queued for it at `min_rate`, else it is reset; default 30s
---@field min_rate? luvd.Size per second; default 500
---@field keep_alive? luvd.Duration that a connection may be idle; it is then closed silently; default 60s
---@field max_running? integer handlers of this listener at once, in each worker, else 503 with Retry-After; default 1024
---@field max_per_connection? integer requests of one connection; default: no limit
---@field access_log? boolean|"debug"|"info"|"warn"|"error"|fun(entry: luvd.AccessEntry) a line for each answer (true: "info"), or a function that may not wait; default: none

---What a function given as `access_log` is called with, once for each answer.
---@class (exact) luvd.AccessEntry
---@field peer string as that of the request
---@field status integer as it was sent
---@field bytes integer of the body
---@field request? string its id; nil: the head was refused
---@field method? string nil: the head was refused
---@field target? string as it was sent; nil: the head was refused
---@field duration_us? integer from the end of the head to the end of the handler

---An answer as a table. Content-Length, Transfer-Encoding and Connection are luvd's business: a Content-Length
---must be that of the body (with a function it is kept to), Connection can only be "close".
---@class (exact) luvd.Answer
---@field status? integer 200 to 599; default 200
---@field headers? table<string, string|number|(string|number)[]> a list is sent as several fields
---@field body? string|(string|number)[]|fun(): string? a function is called until it returns nil, each piece sent before the next is asked for; it may wait. Default type: text/plain; charset=utf-8
---@field json? any encoded as JSON; a body of its own, instead of `body`
---@field file? string a file that is sent, instead of `body`; see `luvd.FileAnswer`
---@field folder? string the path in `file` is looked for below this folder; default: none, the path is opened as it is
---@field index? string|false with `folder`: the file that stands for a folder whose path ends with "/"; default: none, 404

---An answer with a file: `{ file = path }`. It is read on the pool of threads, a block of 64 KiB at a time, and none
---while the client does not read. Content-Type goes by the extension (texts are said to be UTF-8) unless `headers`
---say it; Content-Length, Last-Modified, a weak ETag and Accept-Ranges are luvd's own. GET and HEAD with status 200
---heed If-None-Match and If-Modified-Since (304), GET one Range (206, 416) with If-Range; several ranges at once get
---the whole file. What is missing is 404; what may not be read, or is no regular file, 403; other failures raise. A
---file that becomes shorter while it is sent breaks the connection.
---
---With `folder` nothing outside of it is ever sent, whoever can write there: no link below it is followed (it is 404, as
---are names that begin with a dot), "..", absolute paths and NUL bytes lead nowhere. A folder whose path lacks the slash
---at its end is redirected to the one with it (301).
---@class luvd.FileAnswer: luvd.Answer

---A request, as its handler gets it. It stays valid after its answer, but for its body. Any further field may be set, for
---handlers to tell each other; one that is not set raises.
---@class luvd.Request
---@field method string "GET"
---@field path string decoded and normal: no empty, "." or ".." segments. An escaped NUL or slash, a wrong escape and a way above the root are refused with 400; "*" for OPTIONS *
---@field target string as it was sent
---@field query table<string, string> decoded; of equal names the last one counts, see `query_all`
---@field raw_query? string as it was sent
---@field headers luvd.Headers `request.headers["content-type"]`
---@field host? string of the target when it is a full URL, else the field; nil with HTTP/1.0 only
---@field peer string "tcp://127.0.0.1:49152"
---@field params table<string, string> of a router's pattern
---@field version "1.0"|"1.1" of HTTP
---@field id string on the log lines of this request; no two of a daemon are equal
local Request = {}

---All values of one name in the query, in their order.
---@param name string
---@return string[]
function Request:query_all(name) end

---Waits for the whole body; a later call returns it again. A client that expects it is told to
---continue when a handler first asks for the body.
---@param options? luvd.ReadOptions max: of the body; default and at most `max_body`
---@return string? body "" when there is none
---@return string? message
---@return "EMSGSIZE"|"ETIMEDOUT"|"EPROTO"|"EOF"|"ECLOSED"|nil code a handler that raises after one of the first four answers 413, 408, 400 and 400; after an ETIMEDOUT by `timeout` it can be called again
function Request:body(options) end

---The body, decoded; see luvd.json.
---@param options? luvd.ReadOptions
---@return any value
---@return string? message "3:7: expected ','"
---@return string? code as `body`, or "EJSON"
function Request:json(options) end

---The body as a form: application/x-www-form-urlencoded. Of equal names the last one counts.
---@param options? luvd.ReadOptions max: of the body; default and at most `max_body`
---@return table<string, string>? form
---@return string? message
---@return string? code as `body`, or "ENOTSUP": another Content-Type; multipart forms are not supported
function Request:form(options) end

---Iterates over the body as it comes; ends at its end and at a failure, see `failure`.
---@param options? luvd.ReadOptions max: of the whole body; timeout: of each piece
---@return fun(): string?
function Request:chunks(options) end

---Why the body could not be read.
---@return string? message
---@return string? code as `body`
function Request:failure() end

---The fields of a request by name, in any case. Several of one name are one, joined with ", "
---(cookies with "; "). `pairs` goes over them with names in lower case.
---@class luvd.Headers
---@field [string] string? the value; nil: it was not sent

---A new router. It is loaded when the first one is made; a service without one does not pay for it.
---@return luvd.Router
function http.router() end

---Finds the handler for a path and a method. Patterns are text ("/users"), with parameters that take one segment
---("/users/:id") and a rest that takes all to the end, also nothing ("/files/*path"); what was taken is in
---`request.params`. They are matched with the decoded path, and a slash at its end counts. Where several match, text goes
---before a parameter and a parameter before a rest, segment by segment from the left, whatever the order of registration;
---of these the first that has the method. Without one the answer is 405 with Allow, without any match 404. HEAD is
---answered by GET's handler, OPTIONS with Allow, unless they have their own. Malformed patterns and conflicts raise where
---they are registered. `http.serve` takes it in place of a function.
---@class luvd.Router: luvd.HttpObject
local Router = {}

---Registers a handler for GET.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:get(pattern, handler) end

---Registers a handler for POST.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:post(pattern, handler) end

---Registers a handler for PUT.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:put(pattern, handler) end

---Registers a handler for PATCH.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:patch(pattern, handler) end

---Registers a handler for DELETE.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:delete(pattern, handler) end

---Registers a handler for HEAD, instead of the head of GET's answer.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:head(pattern, handler) end

---Registers a handler for OPTIONS, instead of 204 with Allow.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:options(pattern, handler) end

---Registers a handler for every method that has no handler of its own there.
---@param pattern string
---@param handler luvd.HttpHandler
---@return luvd.Router self
function Router:any(pattern, handler) end

---Options of `router:mount` with a folder.
---@class (exact) luvd.MountOptions
---@field index? string|false the file that stands for a folder; default "index.html"; false: none
---@field headers? table<string, string|number|(string|number)[]> of every file that is sent; default: none

---Answers all below a prefix: from a folder (as `luvd.FileAnswer` with `folder` says; the prefix without its slash is
---redirected), or by another router, whose patterns then begin behind the prefix and whose parameters are added to those
---of the prefix.
---@param prefix string a pattern without a rest; "/static" and "/static/" are the same
---@param what string|luvd.Router a folder, or a router; not one that contains this one
---@param options? luvd.MountOptions of a folder only
---@return luvd.Router self
function Router:mount(prefix, what, options) end

---Answers a request: what http.serve calls, and a handler of one's own may.
---@param request luvd.Request
---@return string|integer|luvd.Answer
---@return string?
function Router:handle(request) end

---Options of `http.request`.
---@class (exact) luvd.ClientOptions
---@field method? string "GET" ...; default "POST" with a body, else "GET"
---@field headers? table<string, string|number|(string|number)[]> default: none but User-Agent, and Content-Type of json and form. Host, Connection, Content-Length, Transfer-Encoding, TE, Upgrade and Expect are luvd's business
---@field body? string|(string|number)[]|fun(): string? a function is called until it returns nil, and sent in chunks; it may wait; default: none
---@field json? any a body as JSON; default: none
---@field form? table<string, string|number|(string|number)[]> a body as application/x-www-form-urlencoded; default: none
---@field timeout? luvd.Duration of everything, with all redirects and the body; default "30s"
---@field max? luvd.Size of the body of the answer; default "16MiB"
---@field redirects? integer how many are followed; 0: the redirect itself is the response; default 5
---@field pool? boolean use and keep connections; default true

---Asks a server. Waits until the head of the answer has come. The answer is read strictly: what two programs could read in
---two ways is "EPROTO".
---
---Connections are kept for 30 seconds, at most 8 for an address and 64 in all, and used for methods that may be repeated
---(GET, HEAD, OPTIONS, PUT, DELETE, TRACE; not with a function as the body): when one turns out to be stale before
---anything of an answer has come, the request is sent once more over a new one.
---
---Redirects 301, 302, 303, 307 and 308 are followed; 303, and 301 and 302 of a POST, go on as GET without the body; one
---that needs a body again which was a function is the response itself. Another origin gets no Authorization,
---Proxy-Authorization or Cookie.
---@param url string "http://host:port/path?query", escaped; without a user
---@param options? luvd.ClientOptions an unknown one raises
---@return luvd.Response? response any status is one
---@return string? message
---@return string? code "EINVAL": no URL; "EPROTONOSUPPORT": https, which is not supported yet; "EPROTO": no HTTP; "EOF": the answer is cut off; "ELOOP": too many redirects; "ETIMEDOUT", "ECONNREFUSED" ... as net.connect
function http.request(url, options) end

---What `http.request` returns. Its connection is kept or closed when the body has been read; a `<close>` variable does so too.
---@class luvd.Response
---@field status integer 200 to 599
---@field reason string "" when the server gives none
---@field headers table<string, string> looked up in any case; several of one name are joined with ", "
---@field url string after redirects
local Response = {}

---Waits for the whole body; a later call returns it again.
---@return string? body
---@return string? message
---@return "EMSGSIZE"|"ETIMEDOUT"|"EPROTO"|"EOF"|"ECLOSED"|string|nil code "EMSGSIZE": longer than `max`; "ECLOSED": close was called
function Response:body() end

---The body, decoded; see luvd.json.
---@return any value
---@return string? message
---@return string? code as `body`, or "EJSON"
function Response:json() end

---Iterates over the body as it comes; ends at its end and at a failure, see `failure`.
---@return fun(): string?
function Response:chunks() end

---Why the body could not be read.
---@return string? message
---@return string? code as `body`
function Response:failure() end

---All values of a field, in their order: `response:header_all "set-cookie"`.
---@param name string in any case
---@return string[]
function Response:header_all(name) end

---Closes the connection unless the body has been read to its end.
function Response:close() end
