local load = require "bench.load"
local peers = require "bench.peers"
local rounds = require "bench.rounds"

local function sheet(settings, name, title, request)
  return rounds.load({
    name = name, title = title,
    goals = {
      { row = "luvd", peer = "plain C", at_most = 1.10 }, { row = "luvd", peer = "plain C, collect", at_most = 1.10 },
      { row = "luvd", peer = "nginx return 200" },
    },
    notes = {
      "plain C: llhttp; a write for each answer, as a handler that writes does it",
      "plain C, collect: the answers to the requests of one read are one write, as luvd does it: the stricter goal",
    },
  }, { peers.luvd("hello", "web"), peers.c "http", peers.c("http", "collect"), peers.nginx(), peers.node "http" },
    settings, { request = request, body = "hello\n", pipeline = 16 })
end

return function(settings, publish)
  publish(sheet(settings, "pipeline", "HTTP hello, 16 requests at once, the headers of wrk", load.plain))
  publish(sheet(settings, "pipeline-browser", "HTTP hello, 16 requests at once, 12 browser headers", load.browser))
end
