-- A daemon under test as a process of its own: testing.start.

local child = require "luvd.testing.child"
local connections = require "luvd.testing.connections"
local control = require "luvd.testing.control"
local datagrams = require "luvd.testing.datagrams"
local eval = require "luvd.testing.eval"
local folder = require "luvd.testing.folder"
local leaks = require "luvd.testing.leaks"
local listeners = require "luvd.testing.listeners"
local log = require "luvd.testing.log"
local net = require "luvd.net"
local overrides = require "luvd.testing.overrides"
local place = require "luvd.testing.place"
local report = require "luvd.testing.report"
local scope = require "luvd.testing.scope"
local signals = require "luvd.testing.signals"
local uv = require "uv"

local STOP_WITHIN = 90 -- seconds; the daemon's own timeouts.stop comes first
local HOLD_UP = 0.25 -- seconds: then connections of the test, which are often just forgotten, are half closed
local FINISH_WITHIN = 1 -- seconds: at the end of a test nobody asks how gracefully it stops

-- What runs. Apart from the object that the test has, so that the loop, which holds this, does not keep that alive.
---@class luvd.testing.Running
local Running = {}
Running.__index = Running

-- A daemon that stops waits a second for the next request on each connection that is kept: from us none comes, nor from
-- an answer that nobody reads any more.
local function close_kept()
  collectgarbage()
  local pool = package.loaded["luvd.http.pool"]
  if pool then pool.clear() end
end

function Running:stop(within)
  if not self.result then
    close_kept()
    if self.child:kill "sigterm" and not self.child:wait_end(HOLD_UP) then
      connections.shutdown(self.connections)
    end
    if not self.child:wait_end(within) and self.child:kill "sigquit" and not self.child:wait_end(FINISH_WITHIN) then
      self.child:kill "sigkill"
    end
    self.child:wait_end()
    self.result = { code = self.child.code, signal = signals.name(self.child.signal), log = self.log:get() }
  end
  return self.result
end

--- The end of the test: nothing of it is left.
function Running:finish()
  connections.close(self.connections)
  self:stop(FINISH_WITHIN)
  scope.remove(self)
  folder.remove(self.folder)
end

--- The same where nothing may wait.
function Running:abandon()
  scope.remove(self)
  self.child:abandon()
  folder.remove(self.folder)
end

-- The end of the script.
Running.__gc = Running.abandon

function Running:report()
  return report.text(self.name, self.log:get())
end

local function write_sets(self, sets)
  local lines = {}
  for index, set in ipairs(sets) do lines[index] = set .. "\n" end
  folder.write(self.folder .. "/sets", table.concat(lines))
end

function Running:reload(changes)
  local sets = overrides.add(self.sets, changes)
  write_sets(self, sets)
  local ok, message = control.reload(self.control)
  if ok then
    self.sets = sets
    return true
  end
  write_sets(self, self.sets)
  return nil, message
end

-- --- the start ---

local function name_of(file)
  return (file:match "([^/]+)$" or file):gsub("%.lua$", "")
end

local function fail_start(self, file)
  self.child:wait_end()
  local text = self.log:get()
  self.report = false -- the error has it all
  self:finish()
  local ended = self.child.signal ~= 0 and "signal " .. self.child.signal or "exit code " .. self.child.code
  error(("%s does not start (%s):\n%s"):format(file, ended, text), 0)
end

-- Its name may be any of the daemon file: it is in the only folder of run.
local function find_control(self)
  local home = folder.list(self.folder .. "/run")[1]
  return ("%s/run/%s/control"):format(self.folder, home and home.name or "")
end

local function take_status(self)
  local status = control.status(self.control)
  self.name = status.name
  for _, listener in ipairs(status.listeners) do
    if not rawget(self.address, listener.name) then self.address[listener.name] = listener.address end
  end
  self.before = leaks.count(status)
end

local function run(file, changes)
  local root = math.tointeger(uv.getuid()) == 0
  local sets = overrides.sets(changes)
  local self = setmetatable({ name = name_of(file), sets = {}, connections = connections.new(), log = log.new(),
    folder = folder.make(root and "0711" or "0700"), address = listeners.new() }, Running)
  local arguments = { "run", "--scratch", self.folder, "--notify-fd", "3" }
  overrides.finish(arguments, sets, file)
  local running = self.log
  local ready
  local ok, problem = pcall(function()
    self.child = child.spawn(arguments, function(bytes) running:add(bytes) end,
      { notify = function() ready = true end,
        ended = function() running:finish "the daemon has ended" end })
  end)
  if not ok then
    folder.remove(self.folder)
    error(problem, 0)
  end
  scope.add(self)
  self.child:wait(function() return ready or self.child.code end)
  if not ready then fail_start(self, file) end
  self.control = find_control(self)
  ok, problem = pcall(take_status, self)
  if not ok then
    self:finish()
    error(problem, 0)
  end
  return self
end

-- --- what the test has ---

---@class luvd.testing.Daemon
local Daemon = { __name = "luvd.testing.daemon" }
local methods = {}

function Daemon:__index(key)
  if key == "log" then return self.running.log:get() end
  return methods[key]
end

Daemon.__close = function(self) self.running:finish() end
Daemon.__gc = function(self) self.running:abandon() end

local function connect_udp(address)
  local host, port = address:match "^udp://%[?([^%]]+)%]?:(%d+)$"
  local socket = uv.new_udp()
  assert(socket:connect(host, math.tointeger(tonumber(port))))
  local own = socket:getsockname()
  local form = own.family == "inet6" and "udp://[%s]:%d" or "udp://%s:%d"
  local result, give = datagrams.new { peer = address, local_address = form:format(own.ip, math.tointeger(own.port)),
    transmit = function(bytes)
      local sent, message, code = socket:try_send(bytes, nil, nil) -- absent is not nil to it
      if not sent then return nil, message, code end
      return true
    end,
    finish = function() socket:close() end }
  assert(socket:recv_start(function(_, bytes) if bytes then give(bytes) end end))
  return result
end

function methods:connect(name)
  local running = self.running
  local address = running.address[listeners.choose(running.address, name)]
  local conn, message
  if address:find "^udp:" then
    conn = connect_udp(address)
  else
    conn, message = net.connect(address, { timeout = "5s" })
    if not conn then error("connect: " .. message, 2) end
  end
  running.connections[conn] = true
  return conn
end

function methods:signal(name)
  local number = signals.number(name)
  if not self.running.child:kill(number) then error("signal: the daemon has ended", 2) end
end

function methods:reload(changes)
  return self.running:reload(changes)
end

function methods:wait_log(pattern, within)
  return self.running.log:wait(pattern, within)
end

function methods:eval(text)
  local printed, values = eval.answer(control.evaluate(self.running.control, eval.question(text)))
  self.running.log:add(printed)
  return table.unpack(values, 1, values.n)
end

function methods:stop()
  return self.running:stop(STOP_WITHIN)
end

function methods:leaks()
  return leaks.find(self.running)
end

place.mark(methods)

local process = {}

function process.start(file, changes)
  if type(file) ~= "string" then error(("start: expected a path, got a %s"):format(type(file)), 3) end
  local running = run(file, changes)
  return setmetatable({ running = running, address = running.address, pid = running.child.pid,
    folder = running.folder }, Daemon)
end

return process
