-- The other side of a udp listener: what connect gives for one.

local task = require "luvd.task"

local QUEUED_MAX = 10000 -- datagrams that nobody has received; more are lost, as in a kernel

---@class luvd.testing.Socket
local Socket = {}
Socket.__index = Socket
Socket.__name = "luvd.testing.socket"

function Socket:send(bytes)
  if self.closed then return nil, "the socket is closed", "ECLOSED" end
  return self.transmit(bytes)
end

function Socket:receive(options)
  local bytes, message, code = self.received:receive(options)
  if bytes then return bytes end
  if code then return nil, message, code end
  return nil, "the socket is closed", "ECLOSED"
end

function Socket:close()
  if self.closed then return end
  self.closed = true
  self.received:close()
  self.finish()
end

Socket.__close = Socket.close
Socket.__gc = Socket.close

local datagrams = {}

--- transmit(bytes): true, or nil, message, code. finish(): closes what is below. Returns the socket, and the function
--- that gives it a datagram.
---@param options { peer: string, local_address: string, transmit: function, finish: function }
---@return luvd.testing.Socket
---@return fun(bytes: string)
function datagrams.new(options)
  local received = task.channel(QUEUED_MAX)
  local self = setmetatable({ received = received, peer = options.peer, local_address = options.local_address,
    transmit = options.transmit, finish = options.finish, closed = false }, Socket)
  -- Not self: nothing that the loop holds may keep it from being collected.
  return self, function(bytes) received:try_send(bytes) end
end

return datagrams
