local client = require "support.client"
local peer = require "bench.peer"
local peers = require "bench.peers"
local usage = require "bench.usage"

-- What is looked at: { name, definition, pick(peer) -> pids }.
local function whole(definition)
  return { name = definition.name, definition = definition, pick = function(one) return usage.processes(one.pid) end }
end

local function part(name, index)
  return {
    name = name, definition = peers.example("hello", "web"),
    pick = function(one) return { usage.processes(one.pid)[index] } end,
  }
end

local function work(one)
  for _ = 1, 100 do
    client.ask(("tcp://127.0.0.1:%d"):format(one.port), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
  end
end

local function private(pids)
  local sum = 0
  for _, pid in ipairs(pids) do sum = sum + usage.pages(pid).private end
  return sum
end

local function measure(row, contestant)
  local one <close> = peer.start(contestant.definition)
  local pids = contestant.pick(one)
  table.insert(row.values, usage.memory(pids))
  row.cells = { tostring(private(pids)) }
  work(one)
  row.cells[2] = ("%.0f"):format(usage.memory(pids))
end

return function(settings, publish)
  local contestants, rows = {
    part("luvd, worker", 2), part("luvd, monitor", 1), whole(peers.example("hello", "web", 0)), whole(peers.idle()),
    whole(peers.c "http"), whole(peers.luv "http"), whole(peers.nginx()), whole(peers.node "http"),
  }, {}
  for i, contestant in ipairs(contestants) do rows[i] = { name = contestant.name, values = {} } end
  for _ = 1, settings.rounds do
    for i, contestant in ipairs(contestants) do measure(rows[i], contestant) end
    io.stderr:write "."
  end
  io.stderr:write "\n"
  publish {
    name = "memory", title = "Resident memory of an idle hello daemon", unit = "KiB", rows = rows,
    columns = { "private", "after 100 requests" },
    goals = {
      { row = "luvd, worker", at_most = 4096 },
      { row = "luvd, monitor", peer = "idle libuv", above = true, at_most = 2048 },
    },
    notes = {
      "nginx: master and worker, what they share once",
      "private: of the last round, what no other process has too",
    },
  }
end
