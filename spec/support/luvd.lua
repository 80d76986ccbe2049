-- The real binary under test.
--
--   it("says hello", luvd.test(function(t)
--     local d = t:start(t:file [[ return { listen = { web = "tcp://127.0.0.1:0" }, service = … } ]])
--     assert.equal("hello", client.ask(d:address(), ""))
--   end))
--
-- A test has a name that no other has: its daemon, its folders under /run and /var, its files. When it ends, whatever
-- it has started is gone, and a test that left something running fails for it.

local json = require "dkjson"
local loop = require "support.loop"
local proc = require "support.proc"
local process = require "support.process"
local tree = require "support.tree"
local uv = require "luv"

local luvd = {}

luvd.build = os.getenv "LUVD_BUILD" or "build"
luvd.top = uv.cwd()
luvd.binary = uv.fs_realpath(luvd.build .. "/luvd") or (luvd.top .. "/" .. luvd.build .. "/luvd")
-- An ordinary user cannot run what lies below a folder that he may not enter, such as /root: a copy is tested then.
local function reachable(path)
  local folder = path:match "^(.*)/"
  local stat = uv.fs_stat(folder == "" and "/" or folder)
  return stat and stat.mode & 1 == 1 and (folder == "" or reachable(folder))
end

-- busted loads this module anew for every spec file: the one copy of a run, and its removal at the end, are kept where
-- busted does not clean up.
local registry = debug.getregistry()
local function copy_of(binary)
  local folder = ("/tmp/luvd_spec_%d_binary"):format(math.tointeger(uv.os_getpid()))
  assert(uv.fs_mkdir(folder, tonumber("755", 8)))
  assert(uv.fs_copyfile(binary, folder .. "/luvd"))
  assert(uv.fs_symlink("luvd", folder .. "/luvd-lua"))
  registry["luvd spec copy"] = setmetatable({ path = folder .. "/luvd" },
    { __gc = function() tree.remove(folder) end })
  return registry["luvd spec copy"]
end

if math.tointeger(uv.getuid()) == 0 and not reachable(luvd.binary) then
  luvd.binary = (registry["luvd spec copy"] or copy_of(luvd.binary)).path
end

luvd.helpers = luvd.top .. "/" .. (os.getenv "LUVD_HELPERS" or "build/spec")
luvd.root = math.tointeger(uv.getuid()) == 0
luvd.sanitized = (proc.slurp(luvd.binary) or ""):find("__asan_init", 1, true) ~= nil
luvd.nobody = 65534

--- The daemon files of this spec file are classic daemons unless they say otherwise: one process that does it all.
local classic = false
function luvd.classic()
  classic = true
end

-- On the line where the table begins: the others keep their numbers.
local function as_classic(text)
  if not classic or text:find "workers%s*=" then return text end
  return (text:gsub("return%s*{", "return { workers = 0,", 1))
end

local counter = 0

---@class support.test
---@field name string the daemon's name
---@field folder string an empty folder of its own
local test = {}
test.__index = test

local function fresh()
  counter = counter + 1
  local name = ("luvd_spec_%d_%d"):format(math.tointeger(uv.os_getpid()), counter)
  local self = setmetatable({ name = name, folder = "/tmp/" .. name, daemons = {}, at_end = {} }, test)
  tree.remove(self.folder)
  assert(uv.fs_mkdir(self.folder, tonumber("755", 8)))
  if not luvd.root then self:unprivileged() end
  return self
end

-- Everything that a daemon of this name may leave on purpose: logs, records, state.
local function traces(self)
  local paths = { self.folder }
  for _, form in ipairs { "/run/luvd/%s", "/run/%s", "/run/%s.pid", "/var/log/%s.log", "/var/log/%s", "/var/lib/%s",
    "/var/cache/%s", "/tmp/luvd-" .. luvd.nobody .. "/%s" } do
    paths[#paths + 1] = form:format(self.name)
  end
  return paths
end

-- A process belongs to a test when it runs our binary; specs run one after the other. Of a process that has made itself
-- unreadable only root sees the executable; its title has the test's name, and other runs may be going on.
-- `luvd test` runs it too.
local runners = { [math.tointeger(uv.os_getpid())] = true, [math.tointeger(uv.os_getppid())] = true }
local function ours(pid)
  if runners[pid] then return false end
  local executable = proc.executable(pid)
  if executable then
    local own = ("/tmp/luvd_spec_%d_"):format(math.tointeger(uv.os_getpid())) -- test:own_binary
    return executable == luvd.binary or executable == luvd.binary .. " (deleted)" or executable:find(own, 1, true) == 1
  end
  local title = proc.slurp(("/proc/%d/cmdline"):format(pid)) or ""
  return title:find(("luvd_spec_%d_"):format(math.tointeger(uv.os_getpid())), 1, true) ~= nil
end

--- Is it a process of the binary under test, but for the one that runs the tests?
luvd.is_ours = ours

-- A killed monitor leaves the control groups of its workers, empty, to the next start.
local function remove_groups(self)
  local own = (proc.slurp "/proc/self/cgroup" or ""):match "0::(/[^\n]*)"
  local mount = (proc.slurp "/proc/self/mountinfo" or ""):match " / (%S+) [^\n]* %- cgroup2 "
  if not own or not mount then return end
  for _, name in ipairs(proc.names(mount .. own)) do
    if name:find("luvd." .. self.name .. ".", 1, true) == 1 then uv.fs_rmdir(("%s%s/%s"):format(mount, own, name)) end
  end
end

local function finish(self)
  for _, undo in ipairs(self.at_end) do pcall(undo) end
  local left = {}
  for _, pid in ipairs(proc.find(ours)) do
    local command = (proc.slurp(("/proc/%d/cmdline"):format(pid)) or ""):gsub("\0", " ")
    left[#left + 1] = ("%s(pid %d)"):format(command, pid)
    uv.kill(pid, "sigkill")
  end
  for _, one in ipairs(process.finish()) do left[#left + 1] = one end
  loop.poll(function() return #proc.find(ours) == 0 end)
  remove_groups(self)
  for _, path in ipairs(traces(self)) do tree.remove(path) end
  uv.fs_rmdir("/tmp/luvd-" .. luvd.nobody)
  loop.drain()
  return left
end

-- An error with the lines of the specs that led to it.
local function located(problem)
  if type(problem) ~= "string" then return problem end
  local lines = {}
  for line in debug.traceback("", 2):gmatch "[^\n]+" do
    if line:match "_spec%.lua:" then lines[#lines + 1] = line:match "%S+_spec%.lua:%d+" end
  end
  return ("%s\n(%s)"):format(problem, table.concat(lines, ", "))
end

--- The body of an `it`: runs body(t) and cleans up. Fails when body left a process behind.
function luvd.test(body)
  return function()
    local t = fresh()
    local ok, failure = xpcall(body, located, t)
    local left = finish(t)
    if not ok then error(failure, 0) end
    if #left > 0 then error("left running: " .. table.concat(left, "; "), 0) end
  end
end

-- busted gives `pending` to spec files only: it is found in the environment of the function that defines the test.
local function environment(defining)
  for index = 1, 255 do
    local name, value = debug.getupvalue(defining, index)
    if name == "_ENV" then return value end
  end
end

--- The same for what only root can try; elsewhere the test is pending with the reason.
function luvd.root_test(body, reason)
  if luvd.root then return luvd.test(body) end
  local spec = environment(debug.getinfo(2, "f").func)
  return function() spec.pending("needs root" .. (reason and ": " .. reason or "")) end
end

--- Runs undo when the test ends, last one first.
function test:finally(undo)
  table.insert(self.at_end, 1, undo)
end

--- Writes a daemon file (and others) into the test's folder and returns its path. It is called like the test, so that
--- this is the daemon's name.
function test:file(text, name)
  local path = self.folder .. "/" .. (name or self.name .. ".lua")
  tree.write(path .. ".new", as_classic(text))
  assert(uv.fs_rename(path .. ".new", path))
  return path
end

--- A copy of an example under the test's name: folder/NAME.lua with what lies beside it.
function test:example(name)
  for _, file in ipairs(proc.names("examples/" .. name)) do
    local to = file == name .. ".lua" and self.name .. ".lua" or file
    tree.copy_any(("examples/%s/%s"):format(name, file), self.folder .. "/" .. to)
  end
  return self.folder .. "/" .. self.name .. ".lua"
end

--- Makes everything this test starts run as nobody, with home and runtime folders of its own.
function test:unprivileged()
  if self.home then return end
  self.uid, self.gid = luvd.root and luvd.nobody or nil, luvd.root and luvd.nobody or nil
  self.home, self.runtime = self.folder .. "/home", self.folder .. "/runtime"
  for _, folder in ipairs { self.home, self.runtime } do
    assert(uv.fs_mkdir(folder, tonumber("700", 8)))
    if luvd.root then
      assert(uv.fs_chown(folder, luvd.nobody, luvd.nobody))
      assert(uv.fs_chown(self.folder, luvd.nobody, luvd.nobody))
    end
  end
  self.more_env = { "HOME=" .. self.home, "XDG_RUNTIME_DIR=" .. self.runtime }
  return self
end

function test:options(options)
  local merged = { uid = self.uid, gid = self.gid, cwd = self.folder, more_env = {} }
  for key, value in pairs(options or {}) do merged[key] = value end
  merged.more_env = table.move(self.more_env or {}, 1, #(self.more_env or {}), 1, {})
  for _, entry in ipairs(options and options.more_env or {}) do table.insert(merged.more_env, entry) end
  return merged
end

--- Runs any program to its end.
function test:command(arguments, options)
  return process.run(arguments, self:options(options))
end

--- Starts any program.
function test:spawn(arguments, options)
  return process.spawn(arguments, self:options(options))
end

--- Runs `luvd …` to its end: { code, out, err }.
function test:luvd(arguments, options)
  return self:command({ self.binary or luvd.binary, table.unpack(arguments) }, options)
end

--- A copy of the binary in the test's folder, from which its daemons are started: another one can be put in its place.
function test:own_binary()
  self.binary = self.folder .. "/bin/luvd"
  assert(uv.fs_mkdir(self.folder .. "/bin", tonumber("755", 8)))
  assert(uv.fs_copyfile(luvd.binary, self.binary))
end

--- Puts a file with these bytes (nil: those of the binary, and a little more) in the place of the test's own binary.
function test:install(bytes, mode)
  tree.write(self.binary .. ".new", bytes or proc.slurp(luvd.binary) .. "x")
  assert(uv.fs_chmod(self.binary .. ".new", tonumber(mode or "755", 8)))
  assert(uv.fs_rename(self.binary .. ".new", self.binary))
end

--- Nobody runs our binary.
function test.assert_no_process(_)
  local gone = loop.poll(function() return #proc.find(ours) == 0 end, 3000)
  if not gone then error("a process is left: " .. table.concat(proc.find(ours), " "), 2) end
end

--- No process, and no lock.
function test:assert_stopped()
  self:assert_no_process()
  local lock = ("%s/luvd/%s/lock"):format(self.runtime or "/run", self.name)
  if not tree.exists(lock) then return end
  local free = self:command { "/usr/bin/flock", "-n", lock, "true" }
  if free.code ~= 0 then error("the lock is held", 2) end
end

--- Nor anything but the lock file and logs of this test's daemon.
function test:assert_nothing_left()
  self:assert_stopped()
  local run = self.runtime or "/run"
  local home = run .. "/luvd/" .. self.name
  local pidfile = ("%s/%s.pid"):format(run, self.name)
  if tree.exists(pidfile) and uv.fs_lstat(pidfile).type ~= "link" then error("left: " .. pidfile, 2) end
  for _, name in ipairs(proc.names(home)) do
    if name ~= "lock" then error(("left: %s/%s"):format(home, name), 2) end
  end
end

--- `luvd start` that must fail, and leave nothing.
function test:failed_start(file, arguments, options)
  local result = self:luvd({ "start", file, table.unpack(arguments or {}) }, options)
  if result.code == 0 then error("the start has succeeded: " .. result.out, 2) end
  self:assert_nothing_left()
  return result
end

-- --- a daemon that runs ---

---@class support.daemon
---@field pid integer
---@field file string
---@field child support.child of run: the process itself; of start: the launcher
local daemon = {}
daemon.__index = daemon

--- `luvd start FILE …`, which must succeed.
function test:start(file, arguments, options)
  local child = self:luvd({ "start", file, table.unpack(arguments or {}) }, options)
  if child.code ~= 0 then
    error(("start ended with %d, signal %d: %s%s"):format(child.code, child.signal, child.out, child.err), 2)
  end
  local d = setmetatable({ test = self, file = file, child = child }, daemon)
  d.pid = math.tointeger(tonumber(child.out:match "pid (%d+)"))
  if not d.pid then d.pid = d:status().pid end
  return d
end

--- A handle on a daemon that something else has started.
function test:attach(file)
  local d = setmetatable({ test = self, file = file, child = { out = "", err = "" } }, daemon)
  local status, result = d:status()
  if not status then error("not running: " .. result.err, 2) end
  d.pid = status.pid
  return d
end

--- `luvd run FILE …`, and waits until it is ready. wrap: a program and arguments that run it.
function test:run(file, arguments, options, wrap)
  local line = table.move(wrap or {}, 1, #(wrap or {}), 1, {})
  for _, word in ipairs { luvd.binary, "run", file, table.unpack(arguments or {}) } do line[#line + 1] = word end
  local child = self:spawn(line, options)
  local d = setmetatable({ test = self, file = file, child = child, pid = child.pid }, daemon)
  loop.wait_for("luvd run to be ready: " .. child.err, function()
    if child.code then error(("run ended with %d: %s%s"):format(child.code, child.out, child.err), 0) end
    local status = self:luvd { "status", file, "--json" }
    return status.code == 0 and not status.out:find('"state":"starting"', 1, true)
  end)
  return d
end

--- status --json as a table, or nil and the result of the command.
function daemon:status()
  local result = self.test:command { luvd.binary, "status", self.file, "--json" }
  if result.code ~= 0 then return nil, result end
  local status, _, problem = json.decode(result.out)
  if not status then error(("status --json is not JSON (%s): %s"):format(problem, result.out), 2) end
  return status
end

--- The address of a listener (the only one when no name is given), with the port that the kernel chose.
function daemon:address(name)
  local status, result = self:status()
  if not status then error("no status: " .. result.err, 2) end
  for _, listener in ipairs(status.listeners) do
    if not name or listener.name == name then return listener.address end
  end
  error(("no listener %s"):format(name or ""), 2)
end

--- The pid of its worker of this number (1); a classic daemon is its own.
function daemon:worker(number)
  local status, result = self:status()
  if not status then error("no status: " .. result.err, 2) end
  for _, worker in ipairs(status.workers) do
    local serves = worker.generation == status.generation and worker.pid
    if serves and worker.number == (number or 1) then return worker.pid end
  end
  error(("no worker %d"):format(number or 1), 2)
end

function daemon:alive()
  return proc.alive(self.pid)
end

function daemon:signal(name)
  assert(uv.kill(self.pid, name))
end

--- `luvd stop`, which must succeed and return only when the process is gone.
function daemon:stop()
  local result = self.test:command { luvd.binary, "stop", self.file }
  if result.code ~= 0 then error(("stop ended with %d: %s"):format(result.code, result.err), 2) end
  if proc.alive(self.pid) then error("stop returned, and the process lives", 2) end
  return result
end

function daemon:reload()
  return self.test:command { luvd.binary, "reload", self.file }
end

function daemon:upgrade()
  return self.test:command { luvd.binary, "upgrade", self.file }
end

function daemon:wait_end(within)
  proc.wait_end(self.pid, within)
end

--- Where `start` logs when the daemon file does not say.
function daemon:log_path()
  if self.test.home then return ("%s/.local/state/%s.log"):format(self.test.home, self.test.name) end
  return ("/var/log/%s.log"):format(self.test.name)
end

--- What it has logged so far: run's stderr, start's file.
function daemon:log()
  return self.logs and proc.slurp(self.logs) or self.child.err .. (proc.slurp(self:log_path()) or "")
end

function daemon:wait_log(pattern, within)
  local found = loop.poll(function() return self:log():match(pattern) end, within)
  if not found then error(("%q is not in the log:\n%s"):format(pattern, self:log()), 2) end
  return found
end

luvd.json = json
return luvd
