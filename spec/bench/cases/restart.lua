-- A worker is killed under load. Its clients come again at once and wait in the queue of the listening socket, which is
-- the monitor's: the longest that one has waited is the time from the kill to an answer of the next worker.

local load = require "bench.load"
local peer = require "bench.peer"
local peers = require "bench.peers"
local series = require "bench.series"
local usage = require "bench.usage"
local uv = require "luv"

local CONNECTIONS, TIMES = 50, 4

local function worker_of(one)
  return usage.processes(one.pid)[2]
end

-- A daemon for each: the second death of a worker is answered with a delay.
local function once()
  local options = { request = load.plain, body = "hello\n", connections = CONNECTIONS, seconds = 1 }
  local one <close> = peer.start(peers.luvd("hello", "web"))
  local answers, killed = load.around(one, options, function()
    local pid = worker_of(one)
    assert(uv.kill(pid, "sigkill"))
    return pid
  end)
  local now = worker_of(one)
  if not now or now == killed then error("the worker was not replaced: " .. one.child.err, 0) end
  if answers.errors > CONNECTIONS then error(("%d requests lost: %s"):format(answers.errors, one.child.err), 0) end
  return answers
end

return function(settings, publish)
  local row, lost = { name = "luvd", values = {} }, { name = "requests lost", values = {} }
  for round = 1, settings.rounds * TIMES do
    local answers = once()
    row.values[round], lost.values[round] = answers.longest / 1000, answers.errors
    io.stderr:write "."
  end
  io.stderr:write "\n"
  local worst = series.summary(lost.values)
  row.cells = { ("%d"):format(worst.median), ("%d"):format(worst.high) }
  publish {
    name = "restart", title = ("A worker killed under load, %d connections"):format(CONNECTIONS), rows = { row },
    unit = "ms until answers come again", columns = { "requests lost", "at most" },
    goals = { { row = "luvd", at_most = 50 } },
    notes = {
      ("%d deaths, each of another daemon"):format(#row.values),
      ("lost: what was under way; each of the %d connections has one request at a time"):format(CONNECTIONS),
    },
  }
end
