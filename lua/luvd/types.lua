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

---An entry of `listen`, or what `net.listen` has opened.
---@class (exact) luvd.Listener
---@field name string of the entry; of `net.listen` its first address
---@field address string "tcp://127.0.0.1:49152": with the port that the kernel chose
---@field addresses string[] all of them, when there are several
local Listener = {}

---Closes one of `net.listen`, also by `<close>`: nothing more is accepted, the file of a unix
---socket is removed, open connections go on. Twice does nothing. Raises for an entry of `listen`.
function Listener:close() end

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

---The module "luvd.net".
---@class (exact) luvd.Net
local net = {}

---Serves a listener; returns at once. Accepting begins when start has returned. Each connection
---has a task of its own; when the handler ends its connection is closed, when it raises the error
---is logged and only its own connection is lost.
---@param listener luvd.Listener
---@param handler fun(conn: luvd.Conn)
function net.serve(listener, handler) end

---The options of an entry of `listen`, by the same rules.
---@class (exact) luvd.ListenOptions
---@field backlog? integer connections that may wait to be accepted; default 511
---@field mode? string permissions of a unix socket's file; default "0666"
---@field max_connections? integer open at a time; default 0: as many as there are descriptors
---@field max_per_peer? integer open from one IPv4 address, IPv6 /64 or local user, others are
---reset; default 0: any number
---@field idle_timeout? luvd.Duration after which a silent connection is closed; default 0: never
---@field write_buffer? luvd.Size queued before conn:write waits; default 256KiB
---@field receive_buffer? luvd.Size of the kernel, SO_RCVBUF of socket(7); default 0: the kernel's

---Opens a listener with the rights that the service still has; `net.serve` then serves it at once.
---One that nobody serves is closed when it is collected. Wrong addresses and options raise. Only
---inside a task or callback of a service that starts or runs.
---@param address string|string[] "tcp://127.0.0.1:0", "tcp://*:80", "unix:/path", "unix:@name"; a
---relative path is relative to the daemon file's folder
---@param options? luvd.ListenOptions
---@return luvd.Listener? listener
---@return string? message
---@return string? code "EADDRINUSE", "EACCES", or another of bind(2)
function net.listen(address, options) end

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
