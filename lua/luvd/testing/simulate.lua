-- A daemon under test in this process, with a clock of its own: testing.simulate.

local clock = require "luvd.testing.clock"
local connections = require "luvd.testing.connections"
local datagrams = require "luvd.testing.datagrams"
local eval = require "luvd.testing.eval"
local folder = require "luvd.testing.folder"
local leaks = require "luvd.testing.leaks"
local listeners = require "luvd.testing.listeners"
local log = require "luvd.testing.log"
local native = require "luvd.testing.native"
local overrides = require "luvd.testing.overrides"
local place = require "luvd.testing.place"
local report = require "luvd.testing.report"
local scope = require "luvd.testing.scope"
local signals = require "luvd.testing.signals"
local uv = require "uv"

-- What runs, apart from the object that the test has.
---@class luvd.testing.Simulated
local Simulated = {}
Simulated.__index = Simulated

-- What it has logged since the last look.
local function take_log(self)
  local text = self.native:log(self.taken)
  self.taken = self.taken + #text
  if text ~= "" then self.log:add(text) end
end

function Simulated:get_log()
  if not self.closed then take_log(self) end
  return self.log:get()
end

function Simulated:stop()
  if not self.result then
    self.native:stop()
    self.clock:until_done(function() return self.native:phase() == "stopped" end, "stop")
    self.result = { code = self.native:code(), log = self:get_log() }
    self.log:finish "the daemon has ended"
  end
  return self.result
end

local function close(self)
  if self.closed then return end
  take_log(self)
  self.closed = true
  scope.remove(self)
  self.native:close()
  folder.remove(self.folder)
end

--- The end of the test: nothing of it is left. A task that is cancelled may not wait: there it has no stop.
function Simulated:finish()
  if self.closed then return end
  local ok, problem = pcall(self.stop, self)
  connections.close(self.connections)
  close(self)
  if not ok and not tostring(problem):find("cannot wait", 1, true) then error(problem, 0) end
end

--- The same where nothing may wait.
Simulated.abandon = close

function Simulated:report()
  return report.text(self.name, self:get_log())
end

function Simulated:reload(changes)
  local sets = overrides.add(self.sets, changes)
  if self.native:phase() ~= "running" then return nil, "the daemon does not run" end
  self.native:reload(sets)
  self.clock:until_done(function() return self.native:phase() ~= "reloading" end, "reload")
  local message = self.native:refusal()
  if message then return nil, message end
  self.sets = sets
  return true
end

-- --- the start ---

local function absolute(file)
  return file:sub(1, 1) == "/" and file or assert(uv.cwd()) .. "/" .. file
end

local function take_names(self)
  local name, names = self.native:names()
  self.name = name
  for _, listener in ipairs(names) do self.address[listener.name] = listener.address end
  self.before = self.native:holds()
end

local function run(file, changes)
  local sets = overrides.sets(changes)
  local self = setmetatable({ name = file:match "([^/]+)$" or file, taken = 0, sets = sets, log = log.new(),
    address = listeners.new(), connections = connections.new(),
    folder = folder.make "0700" }, Simulated)
  local problem
  self.native, problem = native.create(absolute(file), file, sets, self.folder)
  if not self.native then
    folder.remove(self.folder)
    error(("%s does not start:\n%s"):format(file, problem), 0)
  end
  self.clock = clock.new(self.native)
  scope.add(self)
  local ok
  ok, problem = pcall(self.clock.until_done, self.clock,
    function() return self.native:phase() ~= "starting" end, "start")
  problem = not ok and problem or self.native:failure()
  if problem then
    local text = self:get_log()
    close(self)
    error(("%s does not start:\n%s%s"):format(file, text, problem), 0)
  end
  take_names(self)
  return self
end

-- --- what the test has ---

---@class luvd.testing.Daemon
local Daemon = { __name = "luvd.testing.simulated" }
local methods = {}

function Daemon:__index(key)
  if key == "log" then return self.running:get_log() end
  return methods[key]
end

Daemon.__close = function(self) self.running:finish() end
Daemon.__gc = function(self) self.running:abandon() end

local function connect_udp(port)
  local watcher = uv.new_poll(port.fd)
  local result, give = datagrams.new { peer = port.peer, local_address = port.local_address,
    transmit = function(bytes) return native.transmit(port, bytes) end,
    finish = function()
      watcher:stop()
      watcher:close(function() native.shut(port) end)
    end }
  watcher:start("r", function()
    for bytes in native.take, port do give(bytes) end
  end)
  return result
end

function methods:connect(name)
  local running = self.running
  local conn, message = running.native:connect(listeners.choose(running.address, name))
  if not conn then error("connect: " .. message, 2) end
  if type(conn) == "table" then conn = connect_udp(conn) end
  running.connections[conn] = true
  running.clock.connected = true
  return conn
end

function methods:signal(name)
  local number = signals.number(name)
  if self.running.native:phase() == "stopped" then error("signal: the daemon has ended", 2) end
  self.running.native:signal(number)
end

function methods:reload(changes)
  return self.running:reload(changes)
end

function methods:wait_log(pattern, within)
  local running = self.running
  take_log(running)
  return running.log:wait(pattern, within, {
    now = function() return running.native:now() / 1000 end,
    wait = function(left)
      running.clock:pass(left, function() return running.native:log(running.taken) ~= "" end)
      take_log(running)
    end,
  })
end

-- What a text answers: whether it has raised, and what it has printed.
local function ask(running, text)
  local question = running.native:ask(text)
  if not question then error("eval: the service does not run", 0) end
  local ok, answer
  running.clock:until_done(function()
    ok, answer = native.answer(question)
    return answer
  end, "eval")
  return ok, answer
end

function methods:eval(text)
  local ok, answer = ask(self.running, eval.question(text))
  if not ok then eval.fail(answer) end
  local printed, values = eval.answer(answer)
  self.running.log:add(printed)
  return table.unpack(values, 1, values.n)
end

function methods:stop()
  return self.running:stop()
end

function methods:leaks()
  local running = self.running
  if running.native:phase() == "stopped" then return {} end
  ask(running, "collectgarbage() collectgarbage()")
  running.clock:settle()
  return leaks.difference(running.before, running.native:holds())
end

place.mark(methods)

local simulate = {}

function simulate.simulate(file, changes)
  if type(file) ~= "string" then error(("simulate: expected a path, got a %s"):format(type(file)), 2) end
  local running = run(file, changes)
  return setmetatable({ running = running, address = running.address, pid = math.tointeger(uv.os_getpid()),
    folder = running.folder, clock = running.clock }, Daemon)
end

return simulate
