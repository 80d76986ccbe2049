---@meta

-- Types of what luvd gives a service, for editors that read LuaCATS annotations. Wrong use
-- raises; failed work returns nil, message, code, where code is libuv's name of the failure
-- ("ECONNRESET", "ETIMEDOUT" ...) or one of "EOF", "ECLOSED", "EAGAIN".

---A number of seconds, or a number with a unit: "250ms", "10s", "1.5m", "2h", "7d".
---@alias luvd.Duration number|string

---A number of bytes, or a number with a unit: "512B", "64KiB", "4MiB", "1GiB".
---@alias luvd.Size integer|string

---What a service module returns, and what `service` of a daemon file may hold inline.
---@class luvd.Service
---@field start fun(daemon: luvd.Daemon): nil, string? a task; returning means ready; raising, or `return nil, message`, fails the start
---@field reload? fun(daemon: luvd.Daemon, change: luvd.Change): nil, string? `daemon.config` is the new one already; raising, or `return nil, message`, refuses the reload and puts the old config back
---@field stop? fun(daemon: luvd.Daemon, reason: "stop"|"reload"|"restart"|"upgrade") comes first: nothing new is accepted, no timer fires, handlers still run
---@field [string] fun(daemon: luvd.Daemon, number: integer) called for a signal whose action is "service.NAME"

---@class (exact) luvd.Change
---@field config table the config before
---@field keys table<string, true> dotted paths that differ: `change.keys["config.banner"]`

---@class (exact) luvd.Host
---@field env table<string, string> the environment of the command that started the daemon
---@field hostname string
---@field cpus integer
---@field directory string the folder of the daemon file

---An unknown field raises and names those that exist.
---@class (exact) luvd.Daemon
---@field name string
---@field config table plain data of the daemon file; replaced, not changed, by a reload
---@field listeners table<string, luvd.Listener>
---@field files table<string, luvd.File>
---@field directories table<"runtime"|"state"|"cache"|"logs", string>
---@field worker integer 1 in a daemon of one process
---@field workers integer 1 in a daemon of one process
---@field generation integer 1, and one more with each accepted reload
---@field host luvd.Host
---@field log luvd.Log
local Daemon = {}

---Waits until all connections and their handlers have ended.
---@param timeout? luvd.Duration default: `timeouts.stop` of the daemon file
---@return true? ok
---@return string? message
---@return "ETIMEDOUT"? code
function Daemon:drain(timeout) end

---Starts a task that belongs to the service: it outlives the handler that starts it and begins
---on the next turn of the loop. An error in it is logged with its traceback.
---@param fn fun(...: any)
---@param ... any
function Daemon:spawn(fn, ...) end

---An entry of `listen`.
---@class (exact) luvd.Listener
---@field name string
---@field address string "tcp://127.0.0.1:49152": with the port that the kernel chose
---@field addresses string[] all of them, when the entry has several

---An entry of `files`, opened before privileges were given up and anew at USR1.
---@class (exact) luvd.File
local File = {}

---Writes all of it, at once.
---@param bytes string|(string|number)[]
---@return true? ok
---@return string? message
---@return string? code
function File:write(bytes) end

---@class (exact) luvd.Log
local Log = {}

---@param message any
---@param fields? table<string, any> nested tables become JSON
function Log:debug(message, fields) end

---@param message any
---@param fields? table<string, any>
function Log:info(message, fields) end

---@param message any
---@param fields? table<string, any>
function Log:warn(message, fields) end

---@param message any
---@param fields? table<string, any>
function Log:error(message, fields) end

---A log that adds these fields to each line.
---@param fields table<string, any>
---@return luvd.Log
function Log:child(fields) end

---@class (exact) luvd.Timer
local Timer = {}

---A new period; the next call comes one period from now.
---@param duration luvd.Duration
function Timer:set(duration) end

---No further call; one that runs goes on.
function Timer:close() end

---The module "luvd".
---@class (exact) luvd
---@field log luvd.Log
---@field version string
local luvd = {}

---Waits.
---@param duration luvd.Duration
function luvd.sleep(duration) end

---Seconds of a clock that only goes forward.
---@return number
function luvd.now() end

---Seconds: `luvd.duration "7d"` is 604800.
---@param duration luvd.Duration
---@return number
function luvd.duration(duration) end

---Bytes: `luvd.size "64KiB"` is 65536.
---@param size luvd.Size
---@return integer
function luvd.size(size) end

---Calls fn again and again, each call a task. The first call comes one period after the service is
---ready; calls never overlap; an error is logged and the timer goes on; stop disarms it.
---@param duration luvd.Duration at least a millisecond
---@param fn fun()
---@return luvd.Timer
function luvd.every(duration, fn) end

---A line for `luvd status` and the service manager.
---@param text string
function luvd.status(text) end

---Stops the daemon gracefully and returns. Before start has returned it fails the start.
---@param code? integer exit code of `luvd run`, 0 to 255; default 0
function luvd.stop(code) end

---The module "luvd.task". A task is a coroutine that luvd resumes. Tasks form trees: a task ends when
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
---@param fn? fun(): any
---@param ... fun(): any
---@return any ... the first value of each, in their order
function task.all(fn, ...) end

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

---@param capacity? integer values that nobody has received yet, 0 to 1048576; default 0: each send waits for its receiver
---@return luvd.Channel
function task.channel(capacity) end

---@param n integer permits, at least 1
---@return luvd.Semaphore
function task.semaphore(n) end

---A value for a `<close>` variable that calls fn when the block is left, however it is left. fn may
---wait unless an error or a cancellation leaves it.
---@param fn fun(err: any) err: the error that leaves the block, else nil
---@return table deferred
function task.defer(fn) end

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

---@class (exact) luvd.Permit
local Permit = {}

---Gives it to who has waited longest, or back. Once more does nothing; a `<close>` variable does it.
function Permit:release() end

---The module "luvd.net".
---@class (exact) luvd.Net
local net = {}

---Serves a listener; returns at once. Accepting begins when start has returned. Each connection
---has a task of its own; when the handler and its children have ended its connection is closed, when
---it raises the error is logged and only its own connection is lost.
---@param listener luvd.Listener
---@param handler fun(conn: luvd.Conn)
function net.serve(listener, handler) end

---@class (exact) luvd.ReadOptions
---@field timeout? luvd.Duration of the whole call; default: none
---@field max? luvd.Size of the result; default 64KiB

---@class (exact) luvd.WaitOptions
---@field timeout? luvd.Duration of the whole call; default: none

---A connection. After a read timeout ("ETIMEDOUT") and after "EMSGSIZE" and "EOF" it can be used
---on; after any other failure every call returns that failure at once. Only one task may read at
---a time.
---@class (exact) luvd.Conn
---@field peer string "tcp://127.0.0.1:49152"; "unix:" for a client without a path
---@field local_address string
---@field listener luvd.Listener
local Conn = {}

---Waits for bytes and returns those that are there; nil alone: the peer has ended the stream.
---@param options? luvd.ReadOptions
---@return string? bytes
---@return string? message
---@return string? code
function Conn:read(options) end

---Waits for n bytes.
---@param n luvd.Size
---@param options? luvd.WaitOptions
---@return string? bytes
---@return string? message
---@return string? code "EOF" when the stream ended inside
---@return string? partial what came before that end
function Conn:read_exactly(n, options) end

---Waits for text and returns what comes before it.
---@param text string
---@param options? luvd.ReadOptions
---@return string? bytes
---@return string? message
---@return string? code "EMSGSIZE": more than max bytes without it, which stay unread
---@return string? partial with "EOF"
function Conn:read_until(text, options) end

---Waits for a line and returns it without "\n" or "\r\n".
---@param options? luvd.ReadOptions
---@return string? line
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
---@return string? code
function Conn:failure() end

---Sends all of it; waits while more than the listener's `write_buffer` (256KiB) is queued. The
---bytes of one call stay together. A timeout breaks the connection.
---@param bytes string|(string|number)[]
---@param options? luvd.WaitOptions
---@return true? ok
---@return string? message
---@return string? code
function Conn:write(bytes, options) end

---As `write`, but never waits: when the queue is too long nothing of it is queued.
---@param bytes string|(string|number)[]
---@return true? ok
---@return string? message
---@return string? code "EAGAIN"
function Conn:try_write(bytes) end

---Says after what is queued that nothing more will come; reading goes on.
---@return true? ok
---@return string? message
---@return string? code
function Conn:shutdown() end

---Closes; what is queued is sent first, for at most `timeouts.stop`. Never waits.
function Conn:close() end

---Closes at once; what is queued is lost, the peer sees a reset.
function Conn:reset() end
