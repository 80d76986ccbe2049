local luvd, net, task = require "luvd", require "luvd.net", require "luvd.task"
local service = {}

local function pump(from, to)
  for chunk in from:chunks() do
    if not to:write(chunk) then return end           -- write waits while the other side is slow
  end
  to:shutdown()                                      -- pass the half-close on
end

function service.start(daemon)
  net.serve(daemon.listeners.front, function(client)
    local config = daemon.config
    local server <close>, message = net.connect(config.upstream, { timeout = config.connect_timeout })
    if not server then
      return luvd.log:warn("no upstream", { upstream = config.upstream, reason = message })
    end
    task.all(function() pump(client, server) end, function() pump(server, client) end)
  end)
end
return service
