local json = require "dkjson"
local load = require "bench.load"
local peers = require "bench.peers"
local rounds = require "bench.rounds"

local SIZE = 1024

-- An order of a KiB, and the sum that the answer must have.
local function order()
  local total, lines = 0, {}
  for i = 1, 12 do
    lines[i] = { sku = ("A-%04d/%c"):format(i * 739 % 10000, 64 + i), count = i % 5 + 1, price = 199 + i * 250 }
    total = total + lines[i].count * lines[i].price
  end
  local value = { id = 90210, customer = { name = "Zoë \"Z\" Müller", vip = true }, lines = lines, note = "" }
  value.note = ("Please ring twice. "):rep(40):sub(1, SIZE - #json.encode(value))
  return json.encode(value), total
end

return function(settings, publish)
  local body, total = order()
  publish(rounds.load({
    name = "json", title = "JSON: parse 1 KiB, answer 1 KiB, 50 connections",
    goals = { { row = "luvd", peer = "node", at_most = 0.5 } },
    notes = { "both walk the order, multiply, sum up and build the answer anew" },
  }, { peers.luvd("json", "web"), peers.node "json" }, settings, {
    request = function(peer) return load.json(peer, body) end,
    contains = ('"total":%d'):format(total),
  }))
end
