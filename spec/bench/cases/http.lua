local load = require "bench.load"
local peers = require "bench.peers"
local rounds = require "bench.rounds"

local notes = {
  "luvd: CPU of monitor and worker; with workers = 0 there is one process",
  "luvd: default limits and timeouts; the handler looks at one header, as nginx with Lua, node, luv and plain C do",
  "headers of the answer: all send Date, Content-Type and Content-Length; nginx also Server and Connection, node "
    .. "Connection and Keep-Alive, luvd what it always sends",
  "plain C has no limits and no timeouts; luv reads headers with a small parser in Lua",
}

local function sheet(settings, name, title, request)
  return rounds.load({
    name = name, title = title, notes = notes,
    goals = {
      { row = "luvd", peer = "nginx return 200", at_most = 1.00 },
      { row = "luvd", peer = "nginx with Lua", at_most = 0.65 },
      { row = "luvd", peer = "node", at_most = 0.35 },
      { row = "luvd", peer = "plain C" },
      { row = "luvd", peer = "luvd, workers = 0" },
    },
  }, {
    peers.luvd("hello", "web"), peers.classic("hello", "web"), peers.nginx(), peers.nginx_lua(), peers.node "http",
    peers.c "http", peers.luv "http",
  }, settings, { request = request, body = "hello\n" })
end

return function(settings, publish)
  publish(sheet(settings, "http-browser", "HTTP hello, 12 browser headers, 50 connections", load.browser))
  publish(sheet(settings, "http", "HTTP hello, the headers of wrk, 50 connections", load.plain))
end
