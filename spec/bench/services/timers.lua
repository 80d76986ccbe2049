-- 100,000 timers that fire once a second. Who connects gets the count of calls.
local luvd = require "luvd"
local net = require "luvd.net"

return {
  user = "root",
  listen = { count = { address = "tcp://127.0.0.1:7007" } },
  service = { start = function(daemon)
    local fired = 0
    for _ = 1, 100000 do luvd.every("1s", function() fired = fired + 1 end) end
    net.serve(daemon.listeners.count, function(conn) conn:write(("%d\n"):format(fired)) end)
  end },
}
