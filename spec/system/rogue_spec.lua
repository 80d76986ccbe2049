-- Workers that mean their monitor ill, or do not listen to it.

local loop = require "support.loop"
local luvd = require "support.luvd"
local services = require "support.services"
local uv = require "luv"

-- A service with rogue(type, first, count): that many messages into the channel, as host/channel.h has them.
local rogue = [[
      local uv = require "uv"
      local function rogue(type, first, count)
        local message = string.pack("<I4I4I4I4i8", type, 0, 0, 0, first) .. ("\0"):rep(64)
        for _ = 1, count do
          while not uv.fs_write(3, message) do end
        end
      end
]]

local WARNING, WISH = 3, 9

local function fails(t, body, keys)
  local result = t:luvd { "start", t:file(services.start(rogue .. body, keys)) }
  assert.same({ 1, 0 }, { result.code, result.signal }, result.err)
  t:assert_nothing_left()
  return result.err
end

describe("a worker", function()
  it("that warns without end before it is ready does not start, and is heard a while only", luvd.test(function(t)
    local told = fails(t, ("rogue(%d, 0, 5000)"):format(WARNING), "workers = 1,")
    assert.matches("worker 1: it has told too many steps and warnings", told)
    assert.is_true(select(2, told:gsub("\n", "")) < 200)
  end))

  it("that wishes the end many times, while others start, gets it once", luvd.test(function(t)
    -- All of them wait when the monitor looks, whose stack has no room for a call inside the other.
    local file = t:file(services.start(rogue .. ([[
      if daemon.worker == 2 then luvd.sleep "1h" end
      daemon:spawn(function()
        uv.kill(uv.os_getppid(), "sigstop")
        rogue(%d, 3, 200)
        uv.kill(uv.os_getppid(), "sigcont")
      end)]]):format(WISH), "workers = 2,"))
    local result = t:command { "/bin/sh", "-c", "ulimit -s 1024; exec \"$0\" start \"$1\"", luvd.binary, file }
    assert.same({ 1, 0, "luvd: start: interrupted by the service\n" }, { result.code, result.signal, result.err })
    t:assert_nothing_left()
  end))

  it("that does not read for a while misses nothing that it was told", luvd.test(function(t)
    local d = t:start(t:file(services.start("",
      [[workers = 1, signals = { WINCH = "service.wave", URG = "service.wave" },]],
      [[wave = function() end,
      stop = function(daemon) daemon.log:info "its own stop" end]])))
    local worker = d:worker()
    uv.kill(worker, "sigstop")
    for n = 1, 350 do
      -- In turns: the log counts lines that repeat themselves.
      d:signal(n % 2 == 0 and "sigwinch" or "sigurg")
      loop.wait_for("signal " .. n, function() return select(2, d:log():gsub(" from pid", "")) >= n end)
    end
    d:signal "sigterm"
    d:wait_log "stopping: SIGTERM"
    uv.kill(worker, "sigcont")
    d:wait_end()
    assert.matches("its own stop", d:log())
    t:assert_nothing_left()
  end))

  it("that does not read for too long is killed, and replaced", luvd.test(function(t)
    local d = t:start(t:file(services.start("",
      [[workers = 1, signals = { WINCH = "service.wave" },]], "wave = function() end")))
    local worker = d:worker()
    uv.kill(worker, "sigstop")
    loop.wait_for("its end", function()
      d:signal "sigwinch"
      return d:log():find("worker 1: it does not read its channel", 1, true)
    end)
    d:wait_log "worker 1 is restarted"
    loop.wait_for("another one", function()
      local ok, fresh = pcall(d.worker, d)
      return ok and fresh ~= worker
    end)
    d:stop()
  end))
end)
