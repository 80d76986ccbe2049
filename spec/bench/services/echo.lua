local net = require "luvd.net"

return {
  user = "root",
  listen = { echo = { address = "tcp://127.0.0.1:7007", max_connections = 15000, idle_timeout = "1h" } },
  service = { start = function(daemon)
    net.serve(daemon.listeners.echo, function(conn)
      while true do
        local bytes = conn:read()
        if not bytes or not conn:write(bytes) then return end
      end
    end)
  end },
}
