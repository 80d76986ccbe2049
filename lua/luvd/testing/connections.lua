-- The connections that a test has opened to its daemon.

local connections = {}

--- A set that keeps none of them from being collected.
---@return table<luvd.Conn|luvd.testing.Socket, true>
function connections.new()
  return setmetatable({}, { __mode = "k" })
end

-- One that has just been collected is still in the set, and raises.
local function each(set, method)
  for conn in pairs(set) do
    pcall(function()
      if conn[method] then conn[method](conn) end
    end)
  end
end

--- Says to the daemon that nothing more will come.
function connections.shutdown(set)
  each(set, "shutdown")
end

function connections.close(set)
  each(set, "close")
end

return connections
