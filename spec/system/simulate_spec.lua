-- testing.simulate: daemons in process, with a clock that stands still. This file itself runs under luvd.

local luvd = require "luvd"
local specimens = require "support.specimens"
local support = require "support.luvd"
local task = require "luvd.task"
local testing = require "luvd.testing"
local uv = require "luv"

local daemon_file = specimens.file
local with_start = specimens.with_start
local echo = specimens.echo

describe("a simulated day", function()
  it("sweeps every ten minutes, and faster after a reload", function()
    local tree = testing.tree { old = "x", new = "y" }
    tree:age("old", "8d")
    local sweep <close> = testing.simulate("examples/sweep/sweep.lua", { config = { folder = tree.path } })
    sweep.clock:advance "10m"
    assert.same({ "new" }, tree:names())
    assert.is_true(sweep:reload { config = { every = "1m" } })
    local ok, message = sweep:reload { config = { older_than = "1s" } }
    assert.is_nil(ok)
    assert.matches("below one minute", message)
    local _, before = sweep.log:gsub("swept", "")
    sweep.clock:advance "5m"
    assert.equal(before + 5, select(2, sweep.log:gsub("swept", "")))
  end)

  it("has every alarm of it, in their order, and takes no time", function()
    local it <close> = testing.simulate(with_start [[
      count = 0
      luvd.every("10m", function() count = count + 1 luvd.sleep "1m" last = os.time() end)]])
    local began, from = uv.hrtime(), it.clock:now()
    it.clock:advance "1d"
    local took = (uv.hrtime() - began) / 1e6
    assert.same({ 144, math.floor(from) + 86400 - 540 }, { it:eval "count, last" })
    assert.equal(from + 86400, it.clock:now())
    print(("# a day with a timer each 10 minutes took %.1f ms"):format(took))
  end)

  it("is seen by os.time, os.date, os.clock and luvd.now alike", function()
    local it <close> = testing.simulate(with_start "began = { os.time(), os.clock(), luvd.now() }")
    assert.is_true(math.abs(it:eval "began[1]" - os.time()) <= 1)
    it.clock:advance "2h"
    assert.same({ 7200, 7200, 7200 },
      { it:eval "os.time() - began[1], os.clock() - began[2], math.floor(require('luvd').now() - began[3] + 0.5)" })
    assert.equal(os.date("!%F %H", it:eval "began[1] + 7200"), it:eval [[os.date "!%F %H"]])
    it:eval "noon = { year = 1970, month = 1, day = 1, hour = 12 }"
    assert.equal(os.time { year = 1970, month = 1, day = 1, hour = 12 }, it:eval "os.time(noon)")
  end)

  it("has the minutes of cron", function()
    local it <close> = testing.simulate(with_start [[
      times = {}
      luvd.cron("30 4 * * *", function() times[#times + 1] = os.date "!%H:%M" end, { utc = true })]])
    it.clock:advance "3d"
    assert.same({ "04:30", "04:30", "04:30" }, it:eval "times")
  end)

  it("goes by for a service that polls", function()
    local it <close> = testing.simulate(with_start [[
      daemon:spawn(function()
        local till = luvd.now() + 0.005
        while luvd.now() < till do luvd.sleep(0) end
        luvd.log:info "polled"
      end)]])
    assert.equal("polled", it:wait_log "polled")
  end)

  it("is of each daemon its own", function()
    local file = with_start [[luvd.every("1m", function() count = (count or 0) + 1 end)]]
    local one <close> = testing.simulate(file)
    local two <close> = testing.simulate(file)
    one.clock:advance "10m"
    two.clock:advance "3m"
    assert.same({ 10, 3 }, { one:eval "count", two:eval "count" })
  end)
end)

describe("a simulated start", function()
  it("that sleeps moves the clock itself", function()
    local it <close> = testing.simulate(with_start [[luvd.sleep "10s" slept = true]])
    assert.is_true(it:eval "slept")
  end)

  it("that fails raises what it has said, and its log", function()
    local ok, message = pcall(testing.simulate, with_start [[luvd.log:warn "so it goes" error("no room", 0)]])
    assert.is_false(ok)
    assert.matches("it%.lua does not start:\n.*so it goes.*\nstart: no room", message)
  end)

  it("that never returns is ended by timeouts.start", function()
    local ok, message = pcall(testing.simulate, with_start [[task.channel():receive()]])
    assert.is_false(ok)
    assert.matches("start: did not return within 30s", message)
  end)

  it("of a daemon file that is wrong tells all that is", function()
    local ok, message = pcall(testing.simulate, daemon_file [[return { umask = 22, workers = -1, service = {} }]])
    assert.is_false(ok)
    assert.matches("umask: expected", message)
    assert.matches("workers: expected", message)
  end)

  it("that calls os.exit fails", function()
    local ok, message = pcall(testing.simulate, with_start "os.exit(7)")
    assert.is_false(ok)
    assert.matches("the service called os%.exit%(7%)", message)
  end)

  it("ignores who would run it, and where", function()
    local it <close> = testing.simulate(daemon_file [[
return { name = "it", user = "nobody", chroot = "auto", service = { start = function() end } }]])
    assert.equal("it", it:eval "daemon.name")
    assert.equal(uv.os_getpid(), it.pid)
  end)

  it("has the folders and environment of its daemon file, below one folder", function()
    local it <close> = testing.simulate(daemon_file [[
return { name = "it", directories = { state = true }, environment = { set = { FLAVOUR = "mint" } },
  service = { start = function() print("a", 1) end } }]])
    assert.equal(it.folder .. "/state", it:eval "daemon.directories.state")
    assert.equal("directory", uv.fs_stat(it.folder .. "/state").type)
    assert.equal("mint", it:eval [[os.getenv "FLAVOUR"]])
    assert.is_nil(it:eval [[os.getenv "PWD"]])
    assert.truthy(it.log:find([[a\x091]], 1, true))
  end)
end)

describe("what a test asks of it", function()
  it("eval gives values, waits, and raises", function()
    local it <close> = testing.simulate(with_start "")
    assert.same({ 1, "a\0b", { x = { 1.5, true } } }, { it:eval [[1, "a\0b", { x = { 1.5, true } }]] })
    assert.equal(5, it:eval [[(function() require("luvd").sleep(5) return 5 end)()]])
    assert.has_error(function() it:eval "error('no', 0)" end, "no")
    assert.error_matches(function() it:eval(7) end, "eval: expected a text, got a number")
    assert.error_matches(function() it:eval(("x"):rep(9000)) end, "more than 8000 bytes")
    assert.error_matches(function() it:eval(("\0"):rep(8000)) end, "too many bytes that are no ASCII")
    assert.error_matches(function() it:signal "FOO" end, 'expected a name such as "HUP", got FOO')
    it:eval "print 'to the log'"
    assert.matches("to the log", it.log)
  end)

  it("wait_log moves the clock, for as long as it may wait", function()
    local it <close> = testing.simulate(with_start [[luvd.every("4s", function() luvd.log:info "tick" end)]])
    local from = it.clock:now()
    assert.equal("tick", it:wait_log "tick")
    assert.equal(4, it.clock:now() - from)
    assert.has_error(function() it:wait_log("tick", "3s") end)
    assert.equal(7, it.clock:now() - from)
    assert.equal("tick", it:wait_log("tick", "1s"))
  end)

  it("leaks tells what is more than at the start", function()
    local it <close> = testing.simulate(with_start(echo))
    assert.same({}, it:leaks())
    local conn = it:connect()
    it:eval [[require("luvd").every("1h", print) and nil]]
    local leaks = it:leaks()
    assert.same("1 connection of it", leaks[1])
    assert.same("1 timer", leaks[#leaks])
    conn:close()
  end)

  it("works in tasks beside each other", function()
    local file = with_start(echo)
    local function talk(word)
      local it <close> = testing.simulate(file)
      local conn <close> = it:connect()
      for i = 1, 20 do
        conn:write(word .. i .. "\n")
        assert.equal(word .. i, conn:read_line())
        it.clock:advance "1m"
      end
      return word
    end
    assert.same({ "a", "b" }, { task.all(function() return talk "a" end, function() return talk "b" end) })
  end)

  it("goes with a task that is cancelled", function()
    local file, folder = with_start(echo)
    local one = task.spawn(function()
      local it <close> = testing.simulate(file)
      folder = it.folder
      luvd.sleep "1h"
    end)
    testing.eventually(function() return folder end)
    one:cancel()
    assert.is_nil(uv.fs_stat(folder))
  end)

  it("an error in a handler is logged, and the service goes on", function()
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function(conn)
        if conn:read_line() == "bad" then error "oops" end
        conn:write "ok\n"
      end)]])
    local conn = it:connect()
    conn:write "bad\n"
    assert.is_nil(conn:read_line())
    assert.matches("error.*oops", it:wait_log "error.*oops")
    conn = it:connect()
    conn:write "good\n"
    assert.equal("ok", conn:read_line())
  end)
end)

describe("a simulated service that spins", function()
  it("is ended with what the test may take", function()
    local script = require "luvd.script"
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function(conn) conn:read() while true do end end)]])
    local conn = it:connect()
    local ok, message = pcall(function()
      local leave <close> = task.defer(function() script.deadline(nil) end)
      script.deadline "50ms"
      conn:write "go"
      conn:read()
      it.clock:advance "1m"
    end)
    assert.matches("error.*interrupted", it:wait_log "error.*interrupted")
    assert.is_false(ok)
    assert.matches("took longer than 50ms", message)
  end)

  it("is ended, too, in the function of a signal", function()
    local script = require "luvd.script"
    local it <close> = testing.simulate(daemon_file [[
return { signals = { WINCH = "service.spin" },
  service = { start = function() end, spin = function() while true do end end } }]])
    local ok, message = pcall(function()
      local leave <close> = task.defer(function() script.deadline(nil) end)
      script.deadline "50ms"
      it:signal "WINCH"
      it.clock:advance "1m"
    end)
    assert.matches("error.*interrupted", it:wait_log "error.*interrupted")
    assert.is_false(ok)
    assert.matches("took longer than 50ms", message)
  end)
end)

describe("a simulated service that spins when its test ends", function()
  it("is ended too #slow", support.test(function(t)
    local file = with_start [[net.serve(daemon.listeners.it, function(conn) conn:read() while true do end end)]]
    local spec = t:file(([[
      it("is cut short", function()
        local d = require "luvd.testing".simulate(%q)
        d:connect():write "go"
      end)]]):format(file), "inner_spec.lua")
    local result = t:luvd { "test", "-o", "TAP", "--time-limit=50ms", spec }
    assert.equal(1, result.code)
    assert.matches("^not ok 1.*took longer than 10s", result.out)
  end))
end)
