-- One event loop under every spec: nobody sleeps, everybody waits for a condition.

local uv = require "luv"

local loop = {}

-- How long to wait when the caller does not say: far above what any step takes, so that only a
-- real hang reaches it. LUVD_PATIENCE multiplies it (sanitizers, a busy machine).
local PATIENCE = tonumber(os.getenv "LUVD_PATIENCE" or "1")
local WITHIN = 20000
-- What no event tells (a process of somebody else that ends, a file of /proc) is looked at
-- this often.
local LOOK_EVERY = 5

function loop.now()
  uv.update_time()
  return math.tointeger(uv.now())
end

--- Runs the loop until condition() is true; returns its value, or nil when time is over.
---@param condition fun(): any
---@param within? integer milliseconds
function loop.poll(condition, within)
  local value = condition()
  if value then return value end
  local over, failure = false, nil
  local deadline, look = uv.new_timer(), uv.new_timer()
  deadline:start((within or WITHIN) * PATIENCE // 1, 0, function() over = true end)
  -- Only wakes the loop: a condition may run the loop itself, which no callback may.
  look:start(LOOK_EVERY, LOOK_EVERY, function() end)
  while not value and not over and not failure do
    uv.run "once"
    local ok, answer = pcall(condition)
    if ok then value = answer else failure = answer end
  end
  deadline:close()
  look:close()
  uv.run "nowait"
  if failure then error(failure, 0) end
  return value or nil
end

--- The same, and an error when it does not come true.
---@param what string what is waited for, for the message
function loop.wait_for(what, condition, within)
  local value = loop.poll(condition, within)
  if not value then
    error(("waited %d ms in vain for %s"):format((within or WITHIN) * PATIENCE // 1, what), 2)
  end
  return value
end

--- Closes what is still open and runs the loop dry: luv 1.44 crashes at exit otherwise.
function loop.drain()
  uv.walk(function(handle)
    if not handle:is_closing() then handle:close() end
  end)
  while uv.run "nowait" do end
end

return loop
