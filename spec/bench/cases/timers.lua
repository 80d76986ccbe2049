local loop = require "support.loop"
local peers = require "bench.peers"
local rounds = require "bench.rounds"

local TIMERS = 100000

local function fired(one)
  return math.tointeger(tonumber(one:ask():match "%d+"))
end

-- CPU for each call, over some seconds.
local function sample(one, seconds)
  local calls, cpu = fired(one), one:cpu()
  local over = loop.now() + seconds * 1000
  loop.poll(function() return loop.now() >= over end, seconds * 1000 + 5000)
  local used = one:cpu() - cpu
  return used / 1e3 / (fired(one) - calls)
end

return function(settings, publish)
  local contestants = { peers.luvd("timers", "count"), peers.c "timers", peers.luv "timers", peers.node "timers" }
  local rows = rounds.with_all(contestants, function(running)
    for _, one in ipairs(running) do
      loop.wait_for("timers of " .. one.name, function() return fired(one) >= TIMERS end, 60000)
    end
    local taken = rounds.take(running, settings.rounds, function(one) return sample(one, settings.seconds) end)
    for _, row in ipairs(taken) do
      row.cells, row.peer = { ("%.1f"):format(row.peer:memory() / 1024) }, nil
    end
    return taken
  end)
  publish {
    name = "timers", title = "100,000 timers that fire once a second", unit = "µs CPU/call", columns = { "MiB" },
    rows = rows,
    goals = { { row = "luvd", peer = "plain C" }, { row = "luvd", peer = "luv" }, { row = "luvd", peer = "node" } },
    notes = {
      "luvd starts a task for each call; the others call a function",
      "all run all the time on one core; only the CPU time of one is read at a time",
    },
  }
end
