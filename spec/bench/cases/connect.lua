local load = require "bench.load"
local peers = require "bench.peers"
local rounds = require "bench.rounds"

local function goals(peer)
  return { { row = "luvd", peer = "plain C" }, { row = "luvd", peer = peer }, { row = "luvd", peer = "node" } }
end

return function(settings, publish)
  publish(rounds.load({
    name = "connect", title = "A new connection for each echo of 64 bytes, 50 at once", goals = goals "luv",
    notes = { "the client ends the connection" },
  }, { peers.luvd("echo", "echo"), peers.c "echo", peers.luv "echo", peers.node "echo" },
    settings, { echo = 64, reconnect = true, sources = 100 }))
  publish(rounds.load({
    name = "connect-http", title = "A new connection for each HTTP request, 50 at once",
    goals = goals "nginx return 200",
    notes = { "the request says Connection: close; the server ends the connection" },
  }, { peers.luvd("hello", "web"), peers.c "http", peers.nginx(), peers.node "http" },
    settings, { request = load.closing, body = "hello\n", reconnect = true, sources = 100 }))
end
