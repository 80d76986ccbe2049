local load = require "bench.load"
local peers = require "bench.peers"
local rounds = require "bench.rounds"

return function(settings)
  return {
    rounds.load({
      name = "connect-http", title = "A new connection for each HTTP request, 50 at once",
      goals = {
        { row = "luvd", peer = "plain C" }, { row = "luvd", peer = "nginx return 200" },
        { row = "luvd", peer = "node" },
      },
      notes = { "the request says Connection: close; the server ends the connection" },
    }, { peers.luvd("hello", "web"), peers.c "http", peers.nginx(), peers.node "http" },
      settings, { request = load.closing, body = "hello\n", reconnect = true, sources = 100 }),
    rounds.load({
      name = "connect", title = "A new connection for each echo of 64 bytes, 50 at once",
      goals = {
        { row = "luvd", peer = "plain C" }, { row = "luvd", peer = "luv" }, { row = "luvd", peer = "node" },
      },
      notes = { "the client ends the connection" },
    }, { peers.luvd("echo", "echo"), peers.c "echo", peers.luv "echo", peers.node "echo" },
      settings, { echo = 64, reconnect = true, sources = 100 }),
  }
end
