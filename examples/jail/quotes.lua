local net = require "luvd.net"

local service = {}

function service.start(daemon)
  net.serve(daemon.listeners.qotd, function(conn)
    local quotes = daemon.config.quotes
    conn:write(quotes[math.random(#quotes)] .. "\r\n")
  end)
end

function service.reload(daemon)
  if #daemon.config.quotes == 0 then return nil, "config.quotes must hold at least one quote" end
end

return service
