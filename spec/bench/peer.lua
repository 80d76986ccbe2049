-- A contestant that runs: on the server's core, answering.

local client = require "support.client"
local loop = require "support.loop"
local place = require "bench.place"
local proc = require "support.proc"
local process = require "support.process"
local usage = require "bench.usage"
local luvd = require "support.luvd"

---@class bench.Peer
---@field name string
---@field port integer
---@field pid integer
---@field definition bench.Definition
local peer = {}
peer.__index = peer

local function answers(self)
  if self.child.code and not self.definition.daemon then
    error(("%s has ended: %s%s"):format(self.name, self.child.out, self.child.err), 0)
  end
  if self.definition.ready and not self.child.err:find(self.definition.ready, 1, true) then return nil end
  local conn = client.connect(("tcp://127.0.0.1:%d"):format(self.port))
  if conn then conn:close() end
  return conn
end

-- A daemon in the background: its lock, pidfile and log carry its name.
local function find_daemon(self)
  self.child:wait()
  if self.child.code ~= 0 then error(("%s: %s"):format(self.name, self.child.err), 0) end
  return math.tointeger(tonumber(proc.slurp(("/run/%s.pid"):format(self.definition.daemon))))
end

--- Starts one and waits until it accepts.
---@param definition bench.Definition
---@return bench.Peer
function peer.start(definition)
  local self = setmetatable({ name = definition.name, definition = definition, port = place.port() }, peer)
  self.child = process.spawn(place.server(definition.command(self.port)))
  local pid = definition.daemon and find_daemon(self) or self.child.pid
  loop.wait_for("an answer of " .. self.name, function() return answers(self) end)
  self.pid = pid
  return self
end

--- Starts one; says why and returns nil when it cannot.
function peer.try(definition)
  local ok, one = pcall(peer.start, definition)
  if ok then return one end
  io.stderr:write(("\n%s is left out: %s\n"):format(definition.name, one))
end

function peer:cpu()
  return usage.cpu(usage.processes(self.pid))
end

function peer:memory()
  return usage.memory(usage.processes(self.pid))
end

--- Raises what the load has to say of it, and what it says itself.
---@param load support.child
function peer:blame(load)
  local words = (self.child.out .. self.child.err):sub(1, 2000)
  error(("load on %s: %s%s%s"):format(self.name, load.out, load.err, words), 0)
end

--- What it says to who connects and sends nothing.
function peer:ask()
  return client.ask(("tcp://127.0.0.1:%d"):format(self.port))
end

peer.__close = function(self) self:stop() end

function peer:stop()
  local name = self.definition.daemon
  if name then
    process.run { luvd.binary, "stop", name }
    os.remove(("/var/log/%s.log"):format(name))
    return
  end
  self.child:kill "sigterm"
  self.child:wait()
end

return peer
