local load = require "bench.load"
local peer = require "bench.peer"
local peers = require "bench.peers"

local COUNT = 10000

-- A few connections before: what the first of all costs is not the price of one.
local function bytes_each(definition, options)
  local one <close> = peer.try(definition)
  if not one then return nil end
  options.connections = 50
  load.hold(one, options, function() end)
  local before = one:memory()
  options.connections = COUNT
  return load.hold(one, options, function() return (one:memory() - before) * 1024 / COUNT end)
end

-- Memory that a process has had once it keeps: each round has a process of its own.
local function sheet(settings, layout, contestants, options)
  options.idle, options.sources = true, 4
  layout.unit, layout.rows = "bytes/connection", {}
  for _, definition in ipairs(contestants) do
    local row = { name = definition.name, values = {} }
    for round = 1, settings.rounds do row.values[round] = bytes_each(definition, options) end
    if row.values[1] then table.insert(layout.rows, row) end
    io.stderr:write "."
  end
  io.stderr:write "\n"
  return layout
end

local NOTES = { "resident memory of the server's processes; what the kernel keeps for a socket is not in it" }

local function goals(other)
  return { { row = "luvd", at_most = 1.8 * 1024 }, { row = "luvd", peer = other } }
end

return function(settings, publish)
  local function echo(name, title, options)
    publish(sheet(settings, { name = name, title = title, goals = goals "luv", notes = NOTES },
      { peers.luvd("echo", "echo"), peers.c "echo", peers.luv "echo", peers.node "echo" }, options))
  end
  echo("idle", "10,000 idle connections, each with its suspended coroutine", {})
  echo("idle-echo", "10,000 connections that have echoed once", { echo = 64 })
  publish(sheet(settings, {
    name = "idle-http", title = "10,000 HTTP connections kept alive after one request",
    goals = goals "nginx return 200", notes = NOTES,
  }, { peers.luvd("hello", "web"), peers.nginx(), peers.node "http", peers.c "http" },
    { request = load.browser, body = "hello\n" }))
end
