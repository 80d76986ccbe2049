-- Daemon files for the tests of luvd.testing.

local testing = require "luvd.testing"

local specimens = {}

--- Writes one; it is removed with the test. Returns its path.
---@param text string
---@return string
function specimens.file(text)
  return testing.tree { ["it.lua"] = text }.path .. "/it.lua"
end

--- One whose start is this text, in which luvd, net, task and daemon are known. rest: more of its service.
---@param text string
---@param rest? string
---@return string path
function specimens.with_start(text, rest)
  return specimens.file(([[
local luvd, net, task = require "luvd", require "luvd.net", require "luvd.task"
local service = {}
function service.start(daemon) %s end
%s
return { name = "it", service = service, listen = LISTEN, config = { word = "a" }, timeouts = TIMEOUTS }]])
    :gsub("%%s", function() return text end, 1):gsub("%%s", function() return rest or "" end, 1)
    :gsub("LISTEN", "{ it = { address = 'tcp://0.0.0.0:7', max_connections = 2, idle_timeout = '5m' } }")
    :gsub("TIMEOUTS", "{ start = '30s', stop = '20s' }"))
end

-- What such a start may be: each line is sent back.
specimens.echo = [[
  net.serve(daemon.listeners.it, function(conn)
    for line in conn:lines() do conn:write(line .. "\n") end
  end)]]

-- A whole one: each line is logged, and sent back behind a prefix.
specimens.lines = [[
local net, service = require "luvd.net", {}
function service.start(daemon)
  net.serve(daemon.listeners.lines, function(conn)
    for line in conn:lines() do
      require "luvd".log:info("heard", { line = line })
      conn:write(daemon.config.prefix .. line .. "\n")
    end
  end)
end
function service.reload(daemon)
  if daemon.config.prefix == "" then error("prefix is empty", 0) end
end
return { name = "lines", user = "nobody", chroot = "auto", umask = "027",
  listen = { lines = { address = "tcp://0.0.0.0:7", max_connections = 5 } },
  config = { prefix = "> ", list = { 1, 2, 3 }, nested = { kept = true, changed = "no" } }, service = service }]]

return specimens
