-- What starting a task costs beside a bare coroutine. Who connects gets "task NS coroutine NS", nanoseconds each.
local luvd = require "luvd"
local net = require "luvd.net"
local task = require "luvd.task"

local COUNT = 20000

local function nothing() end

local function nanoseconds(work)
  collectgarbage()
  local before = luvd.now()
  for _ = 1, COUNT do work() end
  return (luvd.now() - before) / COUNT * 1e9
end

local function coroutines()
  return nanoseconds(function() coroutine.resume(coroutine.create(nothing)) end)
end

-- Each task is waited for: it has begun and ended.
local function tasks()
  return nanoseconds(function() task.spawn(nothing):wait() end)
end

return {
  user = "root",
  listen = { figures = { address = "tcp://127.0.0.1:7007" } },
  service = { start = function(daemon)
    net.serve(daemon.listeners.figures, function(conn)
      conn:write(("task %.1f coroutine %.1f\n"):format(tasks(), coroutines()))
    end)
  end },
}
