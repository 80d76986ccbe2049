local client = require "support.client"
local peer = require "bench.peer"
local peers = require "bench.peers"

local function after_work(one)
  for _ = 1, 100 do
    client.ask(("tcp://127.0.0.1:%d"):format(one.port), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
  end
  return ("%.0f"):format(one:memory())
end

return function(settings, publish)
  local rows = {}
  for i, definition in ipairs {
    peers.example("hello", "web"), peers.c "http", peers.luv "http", peers.nginx(), peers.node "http",
  } do
    rows[i] = { name = definition.name, values = {} }
    for round = 1, settings.rounds do
      local one <close> = peer.start(definition)
      rows[i].values[round] = one:memory()
      rows[i].cells = { after_work(one) }
    end
    io.stderr:write "."
  end
  io.stderr:write "\n"
  publish {
    name = "memory", title = "Resident memory of an idle hello daemon", unit = "KiB", rows = rows,
    columns = { "after 100 requests" },
    goals = { { row = "luvd", at_most = 4096 } },
    notes = { "nginx: the proportional shares of master and worker" },
  }
end
