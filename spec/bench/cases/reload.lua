-- A reload while clients connect for every request. None of them may notice.

local load = require "bench.load"
local luvd = require "support.luvd"
local peer = require "bench.peer"
local peers = require "bench.peers"
local place = require "bench.place"
local process = require "support.process"

local NAME, CLIENTS, TIMES = "bench-reload", 20, 4

-- The service is a file of its own: the text of an inline one is code, and new code is for new workers.
local DAEMON = [[
return { user = "root", listen = { web = "tcp://127.0.0.1:8080" }, service = "./service.lua", config = { n = %d } }
]]
local SERVICE = [[
local http = require "luvd.http"
local service = {}
function service.start(daemon)
  http.serve(daemon.listeners.web, function() return "hello\n" end)
end
function service.reload() end
return service -- %d
]]

local function write(name, text, n)
  local file = assert(io.open(place.folder() .. name, "w"))
  file:write(text:format(n))
  file:close()
end

-- What the monitor says it took: this process shares its core with the load.
local function reload(verdict)
  local child = process.run(place.server { luvd.binary, "reload", NAME })
  local milliseconds = child.out:match "in (%d+) ms"
  if child.code ~= 0 or not child.out:find(verdict, 1, true) or not milliseconds then
    error(("reload: %s%s"):format(child.out, child.err), 0)
  end
  return tonumber(milliseconds)
end

local function under_load(one, verdict)
  local options = { request = load.closing, body = "hello\n", reconnect = true, connections = CLIENTS, seconds = 0.5 }
  local answers, taken = load.around(one, options, function() return reload(verdict) end)
  if answers.errors > 0 then error(("%d requests lost: %s"):format(answers.errors, one.child.err), 0) end
  return taken
end

return function(settings, publish)
  local in_place, anew = { name = "in place", values = {} }, { name = "new workers", values = {} }
  write("/daemon.lua", DAEMON, 0)
  write("/service.lua", SERVICE, 0)
  local one <close> = peer.start(peers.file(place.folder() .. "/daemon.lua", NAME, "web"))
  for round = 1, settings.rounds * TIMES do
    write("/daemon.lua", DAEMON, round)
    in_place.values[round] = under_load(one, "reloaded in")
    write("/service.lua", SERVICE, round)
    anew.values[round] = under_load(one, "generation ")
    io.stderr:write "."
  end
  io.stderr:write "\n"
  publish {
    name = "reload", title = ("A reload under load, %d clients that connect for each request"):format(CLIENTS),
    unit = "ms until the verdict", rows = { in_place, anew },
    notes = { ("%d of each kind; a request that is lost ends the benchmark"):format(#anew.values) },
  }
end
