-- timers.lua PORT: 100,000 timers that fire once a second. Who connects gets the count of calls.

local uv = require "luv"

local fired, timers = 0, {}
for i = 1, 100000 do
  timers[i] = uv.new_timer()
  timers[i]:start(1000, 1000, function() fired = fired + 1 end)
end

local listener = uv.new_tcp()
assert(listener:bind("127.0.0.1", math.tointeger(tonumber(arg[1]))))
assert(listener:listen(128, function()
  local conn = uv.new_tcp()
  listener:accept(conn)
  conn:write(("%d\n"):format(fired), function() conn:close() end)
end))
uv.run()
