local net = require "luvd.net"
local answer = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"
return {
  listen = { web = "tcp://127.0.0.1:8080" },
  service = { start = function(daemon)
    net.serve(daemon.listeners.web, function(conn)
      local limits = { timeout = "10s" }
      repeat local line = conn:read_line(limits) until not line or line == ""
      conn:write(answer)
    end)
  end },
}
