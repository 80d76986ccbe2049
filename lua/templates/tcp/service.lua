-- What the daemon does. Each connection has a task of its own: one that waits holds nobody up.
local net = require "luvd.net"
local service = {}

local connections = {} -- those that are open

---@param conn luvd.Conn
---@param welcome string
local function talk(conn, welcome)
  conn:write(welcome .. "\n")
  for line in conn:lines { max = "1KiB" } do -- ends when the other side does, or with a longer line
    conn:write(line:upper() .. "\n")
  end
end

-- Ready when it returns; connections come from then on.
---@param daemon luvd.Daemon
function service.start(daemon)
  net.serve(daemon.listeners.lines, function(conn)
    connections[conn] = true
    talk(conn, daemon.config.welcome)
    connections[conn] = nil
  end)
end

-- Another config, the same code: connections stay. error(…) here refuses it, and the old one stays.
---@param daemon luvd.Daemon
---@param change luvd.Change
function service.reload(daemon, change)
  daemon.log:info("another welcome", { from = change.config.welcome, to = daemon.config.welcome })
end

-- Before the end: nobody new is accepted, those who are there are told.
function service.stop()
  for conn in pairs(connections) do
    conn:try_write "goodbye\n" -- does not wait for who reads slowly
    conn:close()
  end
end

return service
