local luvd, net = require "luvd", require "luvd.net"
local service, counters = {}, {}

local function count(datagram)
  for name, value, kind in datagram:gmatch "([%w_.-]+):([%d.]+)|(%a+)" do
    local number = tonumber(value) -- nil: "1.2.3"
    if kind == "c" and number then counters[name] = (counters[name] or 0) + number end
  end
end

local function flush(daemon)
  local lines, taken, now = {}, counters, os.time()
  counters = {}                                      -- before the write, which waits
  for name, sum in pairs(taken) do lines[#lines + 1] = ("%s %.14g %d\n"):format(name, sum, now) end
  local ok, message = daemon.files.series:write(lines)
  if not ok then luvd.log:error("flush failed", { reason = message, lost = #lines }) end
end

function service.start(daemon)
  net.serve(daemon.listeners.stats, function(socket)
    for datagram in socket:packets() do count(datagram) end
  end)
  luvd.every(daemon.config.flush, function() flush(daemon) end)
end

function service.stop(daemon)
  daemon:drain()                                     -- what was sent before is counted
  flush(daemon)
end

return service
