---@meta

-- Types of luvd.testing, for editors that read LuaCATS annotations; docs/make.lua makes the manual of them, too.

---The module "luvd.testing": daemons under test, as a process or simulated. Only under `luvd test`, `luvd lua` and
---`luvd-lua`; in a daemon `require` raises. Calls that wait may stand in the test itself, in before_each and in tasks.
---@class (exact) luvd.testing
local testing = {}

---What a test changes in a daemon file: merged into it table by table, `false` removes a key, a list and `{}` replace
---what is there. Only data: booleans, numbers, strings with any bytes, tables. A key with "." or "=" cannot be changed by
---itself. `{ user = false, config = { every = "1s" } }`
---@alias luvd.testing.Overrides table<string, any>

---Runs the real daemon file as a process of its own, `luvd run --scratch FOLDER`, and returns when it is ready. Every tcp
---and udp listener gets port 0 on loopback; unix sockets, files that are written, all folders, the pidfile and the control
---socket lie in a temporary folder; the log is kept for `log` and shown when the test fails. What overrides name
---themselves (an address, a path, the log) is taken as it is. A start that fails raises with what the daemon has said.
---The process ends with `stop`, `<close>`, the test that has started it, the collector, or this interpreter, however that
---ends; of one started in setup the describe block or file is meant, not the test.
---@param file string path of the daemon file, relative to the working directory
---@param overrides? luvd.testing.Overrides default: none
---@return luvd.testing.Daemon
function testing.start(file, overrides) end

---The same daemon in this process, at once: the real life of its service in a Lua state of its own, under a clock that
---stands still until the test moves it (`clock`), or until a start, reload, stop, `eval` or `wait_log` waits for it.
---Listeners are bound nowhere: `connect` gives a connection in memory, which keeps the limits of the listener. `user`,
---`group`, `chroot`, `limits` and the like change nothing; what `testing.start` puts into its folder is there, too.
---`os.time`, `os.date`, `os.clock`, `luvd.now`, timers and timeouts of luvd go by the clock; what the service does with
---luv itself, and whoever it connects to, goes by the real one. `print` writes to the log. It ends as one of
---`testing.start` does.
---@param file string path of the daemon file, relative to the working directory
---@param overrides? luvd.testing.Overrides default: none
---@return luvd.testing.Daemon
function testing.simulate(file, overrides) end

---Is the daemon file right? As `luvd check`.
---@param file string path of the daemon file
---@param overrides? luvd.testing.Overrides default: none
---@return true? ok
---@return string[]? errors all that is wrong, each with its place: "chat.lua:7: umask: expected an octal string ..."
function testing.check(file, overrides) end

---Options of `testing.plan`.
---@class (exact) luvd.testing.PlanOptions
---@field as? "root" as if root had asked; default: who runs the test
---@field overrides? luvd.testing.Overrides default: none

---What `luvd start` would do here, in order, and does not do. Raises when the daemon file is wrong.
---@param file string path of the daemon file
---@param options? luvd.testing.PlanOptions
---@return luvd.testing.Plan
function testing.plan(file, options) end

---What `luvd plan --json` prints.
---@class luvd.testing.Plan
---@field name string of the daemon
---@field steps luvd.testing.Step[] in their order

---One step of a plan.
---@class luvd.testing.Step
---@field step string its name: "listen"
---@field does string in words: "bind tcp://127.0.0.1:80, backlog 511, for 'web'"
---@field roles string[] which processes take it: "launch", "monitor", "worker"

---A temporary folder with these contents: text is a file, a table a folder. It is removed at the end of the test, or with
---`<close>`. Raises what goes wrong.
---@param contents? table<string, string|table> default: an empty folder
---@return luvd.testing.Tree
function testing.tree(contents) end

---Calls fn until it returns something true, and returns that. An error in fn, as of an assertion, means "not yet". Raises
---the last error, or says what fn has returned, when time is over.
---@generic T
---@param fn fun(): T
---@param within? luvd.Duration default 5 seconds
---@return T value
function testing.eventually(fn, within) end

---A temporary folder.
---@class (exact) luvd.testing.Tree
---@field path string absolute
local Tree = {}

---Makes a file or folder look as if it had last been changed so long ago.
---@param name string below the folder
---@param duration luvd.Duration
function Tree:age(name, duration) end

---The names in it, sorted, folders with a "/" at their end.
---@param name? string a folder below it; default: the folder itself
---@return string[]
function Tree:names(name) end

---Writes a file, folders on the way included; an old one of this name is replaced as a whole.
---@param name string below the folder
---@param text string
---@return string path of the file
function Tree:write(name, text) end

---What is in a file.
---@param name string below the folder
---@return string? text nil: there is none
---@return string? message
---@return string? code "ENOENT" or another of open(2)
function Tree:read(name) end

---Removes it with all that is in it. Twice does nothing; `<close>` does it.
function Tree:close() end

---A daemon under test: a process (`testing.start`) or simulated. `<close>` stops it.
---@class (exact) luvd.testing.Daemon
---@field address table<string, string> by the names of `listen`: where to connect, "tcp://127.0.0.1:49152"; of several the first. An unknown name raises
---@field pid integer of the process; of a simulated daemon this process's own
---@field log string what it has logged so far
---@field clock? luvd.testing.Clock of a simulated daemon; nil: it is a process
---@field folder string the temporary folder: declared `files` that are written lie in it as NAME.file, `directories` as state, cache, runtime and logs
local Daemon = {}

---Connects to a listener: a connection of tcp and unix sockets, a socket of udp. Raises when it cannot. What is still open
---at the end of the test is closed.
---@param name? string of the entry in `listen`; default: the only one
---@return luvd.Conn|luvd.testing.Socket
function Daemon:connect(name) end

---Sends the process a signal; a simulated daemon does what its daemon file says of that signal.
---@param name "HUP"|"USR1"|"USR2"|"TERM"|"INT"|"QUIT"|string a name of signal(7), with or without "SIG"
function Daemon:signal(name) end

---Reads the daemon file again and waits for the verdict. The overrides stay those of the start, changed by these, while
---no reload is refused; one that is refused takes its own back.
---@param overrides? luvd.testing.Overrides default: none
---@return true? ok
---@return string? message why it was refused
function Daemon:reload(overrides) end

---Waits for a line in the log that matches. The next call goes on behind the match, so that each line is found once. A
---simulated daemon's clock moves meanwhile, and the time is by it. Raises, and shows the log, when none comes in time or the daemon has ended.
---@param pattern string a Lua pattern, within one line
---@param within? luvd.Duration default 5 seconds
---@return string match the captures of the pattern, or the whole match
---@return string ... further captures
function Daemon:wait_log(pattern, within) end

---Evaluates Lua in the daemon, in a task of its service, and returns what it returns. The names of `luvd console` are
---known there: `daemon`, `service`, the globals of the service. An error in it is raised here, and so is a result that is
---no data (functions, threads, userdata, tables that contain themselves) or too long.
---@param text string an expression or statements, at most 8000 bytes: "daemon.config.every"
---@return nil|boolean|number|string|table ...
function Daemon:eval(text) end

---Stops it as SIGTERM does, and waits for its end. Connections of the test that it is still waiting for after a quarter
---of a second are half closed, as by `shutdown`. Once more returns the same.
---@return luvd.testing.End
function Daemon:stop() end

---What it holds more than when it became ready, after a full collection: connections, tasks, timers, descriptors,
---processes. Waits a second, at most, for it to go.
---@return string[] empty when there is nothing: "1 connection of web", "2 tasks"
function Daemon:leaks() end

---The clock of a simulated daemon.
---@class (exact) luvd.testing.Clock
local Clock = {}

---Moves it, from alarm to alarm: what each sets off, in the daemon and in what the test itself runs, is over before the
---next. What takes real time, as a process that the service has started, is not waited for.
---@param duration luvd.Duration
function Clock:advance(duration) end

---Seconds since the epoch, as the service sees them.
---@return number
function Clock:now() end

---How a daemon has ended.
---@class (exact) luvd.testing.End
---@field code integer exit code of `luvd run`: 0 after a graceful stop
---@field signal? string what has killed it: "SIGKILL"; nil: nothing
---@field log string all that it has logged

---What `connect` gives for a udp listener. `<close>` closes it.
---@class (exact) luvd.testing.Socket
---@field peer string the listener's address: "udp://127.0.0.1:49153"
---@field local_address string what the daemon sees as the sender
local Socket = {}

---Sends one datagram.
---@param bytes string
---@return true? ok
---@return string? message
---@return string? code "ECLOSED", or of sendto(2)
function Socket:send(bytes) end

---Waits for a datagram of the daemon.
---@param options? luvd.WaitOptions
---@return string? bytes may be ""
---@return string? message
---@return string? code "ETIMEDOUT", "ECLOSED"
function Socket:receive(options) end

---Twice does nothing.
function Socket:close() end
