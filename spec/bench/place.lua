-- Where things run and lie: the cores, ports, folders of a run.

local luvd = require "support.luvd"
local uv = require "luv"

local place = {}

place.build = luvd.build .. "/bench/"
place.peers = "spec/bench/peers/"
place.services = "spec/bench/services/"

local SERVER, LOAD = "0", "1" -- cores

--- The command, on the server's core.
function place.server(arguments)
  return { "/usr/bin/taskset", "-c", SERVER, table.unpack(arguments) }
end

--- The command, on the core of the load.
function place.load(arguments)
  return { "/usr/bin/taskset", "-c", LOAD, table.unpack(arguments) }
end

--- A port that nobody uses now.
function place.port()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  local port = math.tointeger(socket:getsockname().port)
  socket:close()
  return port
end

local folder

--- A folder for what peers write, removed at the end.
function place.folder()
  folder = folder or assert(uv.fs_mkdtemp "/tmp/luvd-bench.XXXXXX")
  return folder
end

function place.clean()
  if folder then require("support.tree").remove(folder) end
  folder = nil
end

return place
