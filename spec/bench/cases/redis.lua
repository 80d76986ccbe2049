local peers = require "bench.peers"
local place = require "bench.place"
local process = require "support.process"
local rounds = require "bench.rounds"
local series = require "bench.series"

local EXPECTED = 60000 -- requests a second: how many make a round of the wanted length

-- CPU for each request, as redis-benchmark asks.
local function sample(one, command, pipeline, count)
  local before = one:cpu()
  local child = process.run(place.load {
    "/usr/bin/redis-benchmark", "-h", "127.0.0.1", "-p", tostring(one.port), "-t", command, "-c", "50",
    "-P", tostring(pipeline), "-n", tostring(count), "-r", "10000", "--csv",
  }, { within = 120000 })
  local rate = child.out:match '"%u+","([%d.]+)"'
  if child.code ~= 0 or not rate then error(("%s: %s%s"):format(one.name, child.out, child.err), 0) end
  return (one:cpu() - before) / 1e3 / count, tonumber(rate)
end

local function sheet(settings, running, command, pipeline)
  local count = math.tointeger(settings.seconds * EXPECTED * (pipeline > 1 and 5 or 1) // 1)
  for _, one in ipairs(running) do sample(one, command, pipeline, count // 3) end
  local rows = rounds.take(running, settings.rounds, function(one) return sample(one, command, pipeline, count) end)
  for _, row in ipairs(rows) do
    row.cells = { ("%.0f"):format(series.median(row.samples)), ("%.1f"):format(row.peer:memory() / 1024) }
    row.peer = nil
  end
  return {
    name = ("redis-%s-%d"):format(command, pipeline),
    title = ("%s, 50 clients%s"):format(command:upper(), pipeline > 1 and (", %d at once"):format(pipeline) or ""),
    unit = "µs CPU/request", columns = { "requests/s", "MiB" }, rows = rows,
    goals = { { row = "luvd", peer = "redis-server", at_most = 1.25 } },
    notes = { "redis-benchmark with 10,000 keys; luvd: examples/redis" },
  }
end

return function(settings, publish)
  rounds.with_all({ peers.example("redis", "redis"), peers.redis() }, function(running)
    for _, pipeline in ipairs { 1, 16 } do
      for _, command in ipairs { "set", "get" } do publish(sheet(settings, running, command, pipeline)) end
    end
  end)
end
