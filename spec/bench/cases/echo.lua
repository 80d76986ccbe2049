local peers = require "bench.peers"
local rounds = require "bench.rounds"

return function(settings, publish)
  publish(rounds.load({
    name = "echo", title = "echo: 64 bytes to and fro on 50 connections",
    goals = {
      { row = "luvd", peer = "plain C", at_most = 1.10 }, { row = "luvd", peer = "luv", at_most = 1.00 },
      { row = "luvd", peer = "node" }, { row = "luvd", peer = "luvd, workers = 0" },
    },
    notes = {
      "luvd: straight-line conn:read and conn:write with an idle timeout; the others have no timeouts",
      "plain C: one static read buffer, uv_try_write first",
    },
  }, { peers.luvd("echo", "echo"), peers.classic("echo", "echo"), peers.c "echo", peers.luv "echo", peers.node "echo" },
    settings, { echo = 64 }))
end
