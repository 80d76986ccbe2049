-- Who is measured. Each is a function that gives { name, command = function(port) -> arguments }; peer.lua starts it.

local luvd = require "support.luvd"
local place = require "bench.place"
local proc = require "support.proc"

local peers = {}

---@class bench.Definition
---@field name string what the table calls it
---@field command fun(port: integer): string[]
---@field url? string the path to ask for
---@field daemon? string the name under which it goes to the background
---@field ready? string what it says when it is: its listener takes connections before

local function running(name, daemon, workers, service, listener)
  return {
    name = name, ready = " ready, pid ",
    command = function(port)
      return {
        luvd.binary, "run", place.services .. service .. ".lua", "--set", "name=" .. daemon,
        "--set", ("workers=%d"):format(workers),
        "--set", ("listen.%s.address=tcp://127.0.0.1:%d"):format(listener, port),
      }
    end,
  }
end

--- A luvd service of this folder, as the default is: a monitor and one worker.
function peers.luvd(service, listener)
  return running("luvd", "bench-" .. service, 1, service, listener)
end

--- The same in one process.
function peers.classic(service, listener)
  return running("luvd, workers = 0", "bench-classic-" .. service, 0, service, listener)
end

--- A daemon file of ours, by its path.
function peers.file(path, name, listener)
  return {
    name = "luvd", ready = " ready, pid ",
    command = function(port)
      return {
        luvd.binary, "run", path, "--set", "name=" .. name,
        "--set", ("listen.%s.address=tcp://127.0.0.1:%d"):format(listener, port),
      }
    end,
  }
end

--- An example of luvd, as the daemon that users start.
---@param workers? integer 1 without it
function peers.example(name, listener, workers)
  local daemon = ("bench-%s"):format(name)
  workers = workers or 1
  return {
    name = workers == 1 and "luvd" or ("luvd, workers = %d"):format(workers), daemon = daemon,
    command = function(port)
      return {
        luvd.binary, "start", ("examples/%s/%s.lua"):format(name, name), "--set", "name=" .. daemon, "--set", "user=",
        "--set", ("workers=%d"):format(workers),
        "--set", ("listen.%s=tcp://127.0.0.1:%d"):format(listener, port),
      }
    end,
  }
end

--- A loop that waits, and nothing else.
function peers.idle()
  return {
    name = "idle libuv",
    command = function(port) return { place.build .. "bench_idle", tostring(port) } end,
  }
end

--- A program of peers/ in C on libuv.
function peers.c(program, mode)
  return {
    name = "plain C" .. (mode and ", " .. mode or ""),
    command = function(port) return { place.build .. "bench_" .. program, tostring(port), mode } end,
  }
end

function peers.luv(program)
  return {
    name = "luv",
    command = function(port) return { "/usr/bin/lua5.4", place.peers .. program .. ".lua", tostring(port) } end,
  }
end

function peers.node(program)
  return {
    name = "node",
    command = function(port) return { "/usr/bin/node", place.peers .. program .. ".js", tostring(port) } end,
  }
end

local function nginx(port)
  local values = { port = tostring(port), folder = place.folder() }
  local path = ("%s/nginx-%d.conf"):format(values.folder, port)
  local file = assert(io.open(path, "w"))
  file:write((proc.slurp(place.peers .. "nginx.conf"):gsub("%${(%w+)}", values)))
  file:close()
  return { "/usr/sbin/nginx", "-c", path, "-g", "daemon off;" }
end

function peers.nginx()
  return { name = "nginx return 200", command = nginx }
end

function peers.nginx_lua()
  return { name = "nginx with Lua", command = nginx, url = "/lua" }
end

function peers.redis()
  return {
    name = "redis-server",
    command = function(port)
      return {
        "/usr/bin/redis-server", "--port", tostring(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
        "--dir", place.folder(), "--loglevel", "warning",
      }
    end,
  }
end

return peers
