local peers = require "bench.peers"
local rounds = require "bench.rounds"

return function(settings, publish)
  local task, bare = { name = "luvd task", values = {} }, { name = "bare coroutine", values = {} }
  local above = { name = "luvd task, above a coroutine", values = {} }
  rounds.with_all({ peers.luvd("tasks", "figures") }, function(running)
    rounds.take(running, settings.rounds + 1, function(one)
      local line = one:ask()
      local ns, coroutine_ns = line:match "task ([%d.]+) coroutine ([%d.]+)"
      assert(ns, line)
      task.values[#task.values + 1] = tonumber(ns)
      bare.values[#bare.values + 1] = tonumber(coroutine_ns)
      above.values[#above.values + 1] = tonumber(ns) - tonumber(coroutine_ns)
    end)
  end)
  for _, row in ipairs { task, bare, above } do table.remove(row.values, 1) end -- the first warms up
  publish {
    name = "tasks", title = "Starting a task, running it to its end", unit = "ns", rows = { task, bare, above },
    goals = { { row = "luvd task, above a coroutine", at_most = 500 } },
    notes = { "task.spawn(nothing):wait() beside coroutine.resume(coroutine.create(nothing)), 20,000 each" },
  }
end
