local peers = require "bench.peers"
local rounds = require "bench.rounds"

-- What the service says of itself, a list for each name.
local function figures(one, count)
  local tasks, coroutines, differences = {}, {}, {}
  one:ask() -- to warm up
  for round = 1, count do
    local line = one:ask()
    local task, bare = line:match "task ([%d.]+) coroutine ([%d.]+)"
    tasks[round], coroutines[round] = assert(tonumber(task), line), tonumber(bare)
    differences[round] = task - bare
  end
  return {
    { name = "luvd task", values = tasks }, { name = "bare coroutine", values = coroutines },
    { name = "luvd task, above a coroutine", values = differences },
  }
end

return function(settings, publish)
  publish {
    name = "tasks", title = "Starting a task, running it to its end", unit = "ns",
    rows = rounds.with_all({ peers.luvd("tasks", "figures") }, function(running)
      return running[1] and figures(running[1], settings.rounds) or {}
    end),
    goals = { { row = "luvd task, above a coroutine", at_most = 500 } },
    notes = { "task.spawn(nothing):wait() beside coroutine.resume(coroutine.create(nothing)), 20,000 each" },
  }
end
