-- The measuring part of spec/bench/start.

package.path = "./spec/?.lua;" .. package.path

local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local process = require "support.process"
local series = require "bench.series"
local uv = require "luv"

local GOAL = 5 -- milliseconds: what a monitor may add to the start

local rounds = math.tointeger(tonumber(arg[1]))
local folder = ("/tmp/luvd-bench-%d"):format(math.tointeger(uv.os_getpid()))
local file = luvd.top .. "/examples/hello/hello.lua"
local name = folder:match "[^/]+$"
local python = ([[
import daemon, daemon.pidfile, os, sys
with daemon.DaemonContext(detach_process=True):
    open("%s/python.pid", "w").write(str(os.getpid()))
    os.execv("/bin/sleep", ["sleep", "1000"])
]]):format(folder)

local sets = { "--set", "name=" .. name, "--set", "listen.web=tcp://127.0.0.1:0", "--set", "user=root" }

local function pid_of(path)
  local pid = loop.wait_for(path, function() return tonumber(proc.slurp(path) or "") end)
  os.remove(path)
  return math.tointeger(pid)
end

local function kill(pid)
  uv.kill(pid, "sigkill")
  proc.wait_end(pid)
end

local function hello(workers)
  return {
    ("luvd, workers = %d"):format(workers),
    { luvd.binary, "start", file, "--set", ("workers=%d"):format(workers), table.unpack(sets) },
    function() process.run { luvd.binary, "stop", name } end,
  }
end

local contestants = {
  hello(1),
  hello(0),
  {
    "daemonize sleep", { "/usr/bin/daemonize", "-p", folder .. "/daemonize.pid", "/bin/sleep", "1000" },
    function() kill(pid_of(folder .. "/daemonize.pid")) end,
  },
  {
    "python-daemon sleep", { "/usr/bin/python3", "-c", python },
    function() kill(pid_of(folder .. "/python.pid")) end,
  },
}

local function once(contestant)
  local before = uv.hrtime()
  local child = process.spawn(contestant[2])
  child:wait_exit()
  local milliseconds = (uv.hrtime() - before) / 1e6
  child:wait()
  assert(child.code == 0, child.err)
  contestant[3]()
  return milliseconds
end

assert(uv.fs_mkdir(folder, tonumber("700", 8)))
local times = {}
for round = 1, rounds do
  for i, contestant in ipairs(contestants) do
    times[i] = times[i] or {}
    local taken = once(contestant)
    if round > 1 then table.insert(times[i], taken) end
  end
end
uv.fs_rmdir(folder)
os.remove(("/var/log/%s.log"):format(name))
loop.drain()

-- What disturbs a round disturbs both of its starts.
local more = series.differences(times[1], times[2]).median
local reached = more <= GOAL

print(("%-22s %10s %10s %10s"):format("", "median", "fastest", "slowest"))
for i, contestant in ipairs(contestants) do
  local taken = series.summary(times[i])
  print(("%-22s %7.2f ms %7.2f ms %7.2f ms"):format(contestant[1], taken.median, taken.low, taken.high))
end
print(("\n%d rounds, alternating. A monitor and its worker take %.2f ms more than the classic daemon (at most %d: %s)")
  :format(rounds - 1, more, GOAL, reached and "OK" or "MISSED"))
os.exit(reached, true)
