-- echo.lua PORT: an echo server on luv, as its documentation writes one.

local uv = require "luv"

local listener = uv.new_tcp()
assert(listener:bind("127.0.0.1", math.tointeger(tonumber(arg[1]))))
assert(listener:listen(4096, function(failure)
  assert(not failure, failure)
  local conn = uv.new_tcp()
  listener:accept(conn)
  conn:nodelay(true)
  conn:read_start(function(problem, bytes)
    if bytes then conn:write(bytes) elseif problem or not conn:is_closing() then conn:close() end
  end)
end))
uv.run()
