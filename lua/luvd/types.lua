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
---@field stop? fun(daemon: luvd.Daemon, reason: "stop"|"reload"|"restart"|"upgrade") comes first: nothing new is accepted, no timer fires, handlers still run
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
---@field files table<string, luvd.File> the entries of `files`, by their names
---@field directories table<"runtime"|"state"|"cache"|"logs", string> the paths of those that the daemon file asks for
---@field worker integer 1 in a daemon of one process
---@field workers integer 1 in a daemon of one process
---@field generation integer 1, and one more with each accepted reload
---@field host luvd.Host what is known of the machine and of who started the daemon
---@field log luvd.Log what `require "luvd.log"` gives
local Daemon = {}

---Waits until all connections and their handlers have ended. Raises in a handler, which would wait for itself.
---@param timeout? luvd.Duration default: `timeouts.stop` of the daemon file
---@return true? ok
---@return string? message
---@return "ETIMEDOUT"? code
function Daemon:drain(timeout) end

---Starts a task that belongs to the service: it outlives the handler that starts it and begins
---on the next turn of the loop. An error in it is logged with its traceback.
---@param fn fun(...: any)
---@param ... any what fn is called with
function Daemon:spawn(fn, ...) end

---An entry of `listen`.
---@class (exact) luvd.Listener
---@field name string its key in `listen`
---@field address string "tcp://127.0.0.1:49152": with the port that the kernel chose
---@field addresses string[] all of them, when the entry has several

---An entry of `files`, opened before privileges were given up and anew at USR1.
---@class (exact) luvd.File
local File = {}

---Writes all of it, at once. Raises when the entry's mode is "r".
---@param bytes string|(string|number)[]
---@return true? ok
---@return string? message
---@return string? code of write(2): "ENOSPC", "EIO", "EAGAIN" for a pipe that is full
function File:write(bytes) end

---The module "luvd.log", which is `daemon.log` and `luvd.log` too: lines with fields, sent where the key `log` says. Never
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

---What `luvd.every` returns. It lives until it is closed or the daemon stops, whether the service keeps it or not; a
---`<close>` variable closes it.
---@class (exact) luvd.Timer
local Timer = {}

---A new period; the next call comes one period from now. Raises when the timer is closed.
---@param duration luvd.Duration at least a millisecond
function Timer:set(duration) end

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
---ready; calls never overlap; an error is logged and the timer goes on; stop disarms it.
---@param duration luvd.Duration at least a millisecond
---@param fn fun()
---@return luvd.Timer
function luvd.every(duration, fn) end

---A line for `luvd status` and the service manager.
---@param text string at most 255 bytes are kept
function luvd.status(text) end

---Stops the daemon gracefully and returns. Before start has returned it fails the start.
---@param code? integer exit code of `luvd run`, 0 to 255; default 0
function luvd.stop(code) end

---The module "luvd.net": connections.
---@class (exact) luvd.Net
local net = {}

---Serves a listener; returns at once. Accepting begins when start has returned. Each connection
---has a task of its own; when the handler ends its connection is closed, when it raises the error
---is logged and only its own connection is lost. Raises when the listener is served already, and while the daemon stops.
---@param listener luvd.Listener
---@param handler fun(conn: luvd.Conn)
function net.serve(listener, handler) end

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
---@field peer string "tcp://127.0.0.1:49152"; "unix:" for a client without a path
---@field local_address string our end, in the same form; "closed" afterwards
---@field listener luvd.Listener where it was accepted
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
