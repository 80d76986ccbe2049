-- testing.simulate: daemons in process, with a clock that stands still. This file itself runs under luvd.

local luvd = require "luvd"
local support = require "support.luvd"
local net = require "luvd.net"
local http = require "luvd.http"
local task = require "luvd.task"
local testing = require "luvd.testing"
local uv = require "luv"

local function daemon_file(text)
  return testing.tree { ["it.lua"] = text }.path .. "/it.lua"
end

-- A daemon whose start is this text, in which luvd, net, task and daemon are known.
local function with_start(text, rest)
  return daemon_file(([[
local luvd, net, task = require "luvd", require "luvd.net", require "luvd.task"
local service = {}
function service.start(daemon) %s end
%s
return { name = "it", service = service, listen = LISTEN, config = { word = "a" }, timeouts = TIMEOUTS }]])
    :gsub("%%s", function() return text end, 1):gsub("%%s", function() return rest or "" end, 1)
    :gsub("LISTEN", "{ it = { address = 'tcp://0.0.0.0:7', max_connections = 2, idle_timeout = '5m' } }")
    :gsub("TIMEOUTS", "{ start = '30s', stop = '20s' }"))
end

local echo = [[
  net.serve(daemon.listeners.it, function(conn)
    for line in conn:lines() do conn:write(line .. "\n") end
  end)]]

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

describe("a simulated listener", function()
  it("is bound nowhere, and says who connects", function()
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function(conn) conn:write(conn.peer .. " " .. conn.local_address .. "\n") end)]])
    local conn <close> = it:connect()
    assert.matches("^tcp://127%.0%.0%.1:%d+$", conn.local_address)
    assert.equal(it.address.it, conn.peer)
    assert.equal(conn.local_address .. " " .. conn.peer, conn:read_line())
    assert.is_nil((net.connect(it.address.it)))
  end)

  it("lets no more in than max_connections", function()
    local it <close> = testing.simulate(with_start(echo))
    local one, two, three = it:connect(), it:connect(), it:connect()
    one:write "1\n"
    two:write "2\n"
    three:write "3\n"
    assert.same({ "1", "2" }, { one:read_line(), two:read_line() })
    assert.equal("ETIMEDOUT", select(3, three:read_line { timeout = "20ms" }))
    assert.matches("max_connections", it:wait_log "max_connections are open")
    one:close()
    assert.equal("3", three:read_line())
  end)

  it("closes who is idle for idle_timeout", function()
    local it <close> = testing.simulate(with_start(echo))
    local conn = it:connect()
    it.clock:advance "4m"
    conn:write "still here\n"
    assert.equal("still here", conn:read_line())
    it.clock:advance "4m"
    conn:write "again\n"
    assert.equal("again", conn:read_line())
    it.clock:advance "301s"
    assert.is_nil(conn:read_line())
    assert.matches("idle_timeout", it:wait_log "idle for idle_timeout")
  end)

  it("times a read out by its clock", function()
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function(conn)
        local line, _, code = conn:read_line { timeout = "30s" }
        conn:write((line or code) .. "\n")
      end)]])
    local conn = it:connect()
    it.clock:advance "29s"
    assert.equal("ETIMEDOUT", select(3, conn:read_line { timeout = "10ms" }))
    it.clock:advance "1s"
    assert.equal("ETIMEDOUT", conn:read_line())
  end)

  it("refuses who comes when it stops", function()
    local it <close> = testing.simulate(with_start(echo))
    it:stop()
    assert.has_error(function() it:connect() end)
  end)

  it("has a name that is known", function()
    local it <close> = testing.simulate(with_start(echo))
    assert.has_error(function() it:connect "web" end, "no listener 'web'; there are: it")
  end)
end)

describe("the services of the examples", function()
  it("chat talks over connections in memory", function()
    local chat <close> = testing.simulate("examples/chat/chat.lua")
    local function join(nick)
      local conn = chat:connect()
      assert.equal("nick?", conn:read_line())
      conn:write(nick .. "\n")
      assert.equal("+ " .. nick, conn:read_line())
      return conn
    end
    local ann, bob = join "ann", join "bob"
    assert.equal("+ bob", ann:read_line())
    ann:write "hi\r\n"
    assert.equal("ann: hi", bob:read_line())
    bob:close()
    assert.equal("- bob", ann:read_line { timeout = "1s" })
    assert.equal(0, chat:stop().code)
    assert.equal("! the server leaves", ann:read_line())
    assert.is_nil(ann:read_line())
  end)

  it("stats counts datagrams and writes its file", function()
    local stats <close> = testing.simulate("examples/stats/stats.lua")
    local socket <close> = stats:connect()
    assert.is_true(socket:send "hits:1|c")
    assert.is_true(socket:send "hits:2|c\nmisses:1.5|c")
    stats.clock:advance "10s"
    local file <close> = assert(io.open(stats.folder .. "/series.file"))
    local lines = { file:read "l", file:read "l" }
    table.sort(lines)
    assert.matches("^hits 3 %d+$", lines[1])
    assert.matches("^misses 1.5 %d+$", lines[2])
    socket:send "last:1|c"
    stats:stop()
    assert.matches("last 1 ", file:read "a")
  end)

  it("hello answers http", function()
    local hello <close> = testing.simulate("examples/hello/hello.lua")
    local conn = hello:connect "web"
    conn:write "GET /you HTTP/1.1\r\nHost: it\r\n\r\n"
    local head = {}
    for line in conn:lines() do
      if line == "" then break end
      head[#head + 1] = line
    end
    assert.equal("HTTP/1.1 200 OK", head[1])
    assert.equal("hello /you", conn:read_line())
  end)

  it("proxy reaches a server of the test", function()
    local upstream <close> = net.listen "tcp://127.0.0.1:0"
    net.serve(upstream, function(conn) conn:write(conn:read_line() .. " back\n") end)
    local proxy <close> = testing.simulate("examples/proxy/proxy.lua", { config = { upstream = upstream.address } })
    local conn = proxy:connect()
    conn:write "there and\n"
    assert.equal("there and back", conn:read_line())
    assert.is_nil(conn:read_line())
    upstream:close()
    local refused = proxy:connect()
    assert.is_nil(refused:read_line())
    assert.matches("no upstream", proxy:wait_log "no upstream")
  end)
end)

describe("a simulated service of datagrams", function()
  it("answers whoever has asked", function()
    local it <close> = testing.simulate(daemon_file [[
local net, luvd = require "luvd.net", require "luvd"
local peers = {}
return { name = "it", listen = { it = "udp://127.0.0.1:53" }, service = { start = function(daemon)
  net.serve(daemon.listeners.it, function(socket)
    for bytes, peer in socket:packets() do
      peers[bytes] = peer
      socket:send("you are " .. peer, peer)
      if peers.first then socket:send("and " .. bytes, peers.first) end
    end
  end)
end } }]])
    local one <close> = it:connect()
    local two <close> = it:connect()
    one:send "first"
    assert.equal("you are " .. one.local_address, one:receive())
    assert.equal("and first", one:receive())
    two:send "second"
    assert.equal("you are " .. two.local_address, two:receive { timeout = "1s" })
    assert.equal("and second", one:receive { timeout = "1s" })
    assert.matches("^udp://127%.0%.0%.1:%d+$", one.local_address)
    one:close()
    two:send "third"
    assert.equal("you are " .. two.local_address, two:receive { timeout = "1s" })
  end)
end)

describe("a simulated stop", function()
  it("drains, and ends at once by the real clock", function()
    local it <close> = testing.simulate(with_start([[
      net.serve(daemon.listeners.it, function(conn)
        conn:write "in\n"
        luvd.sleep "15s"
        conn:write "done\n"
      end)]], [[function service.stop(daemon, reason)
        luvd.log:info("stop: " .. reason)
        daemon:drain()
        luvd.log:info "drained"
      end]]))
    local conn = it:connect()
    assert.equal("in", conn:read_line())
    local result = it:stop()
    assert.equal(0, result.code)
    assert.matches("stop: stop", result.log)
    assert.matches("drained", result.log)
    assert.equal("done", conn:read_line())
    assert.equal(result, it:stop())
  end)

  it("cuts off at timeouts.stop what does not end", function()
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function() luvd.sleep "1h" end)]])
    local conn = it:connect()
    local from = it.clock:now()
    assert.matches("timeouts.stop is over: 1 connections", it:stop().log)
    assert.is_true(it.clock:now() - from < 21)
    assert.is_nil(conn:read())
  end)

  it("has the code that luvd.stop was given", function()
    local it <close> = testing.simulate(with_start [[luvd.every("1m", function() luvd.stop(3) end)]])
    it.clock:advance "1m"
    assert.equal(3, it:stop().code)
  end)

  it("comes with a signal", function()
    local it <close> = testing.simulate(with_start("", [[function service.stop() luvd.log:info "leaving" end]]))
    it:signal "TERM"
    assert.equal("leaving", it:wait_log "leaving")
    assert.equal(0, it:stop().code)
    assert.has_error(function() it:signal "HUP" end, "signal: the daemon has ended")
  end)
end)

describe("a simulated reload", function()
  local reloads = [[function service.reload(daemon, change)
    if daemon.config.word == "bad" then error("bad word", 0) end
    if daemon.config.word == "slow" then luvd.sleep "10m" end
    luvd.log:info("word", { from = change.config.word, to = daemon.config.word })
  end]]

  it("in place keeps what is there, and its connections", function()
    local it <close> = testing.simulate(with_start("kept = {}" .. echo, reloads))
    local conn = it:connect()
    assert.is_true(it:reload { config = { word = "b" } })
    assert.equal("b", it:eval "kept and daemon.config.word")
    conn:write "same\n"
    assert.equal("same", conn:read_line())
    assert.is_true(it:reload())
    assert.equal("b", it:eval "daemon.config.word")
  end)

  it("that is refused or late leaves all as it was", function()
    local it <close> = testing.simulate(with_start("", reloads))
    assert.matches("bad word", select(2, it:reload { config = { word = "bad" } }))
    assert.matches("did not return within", select(2, it:reload { config = { word = "slow" } }))
    assert.matches("umask: expected", select(2, it:reload { umask = 5 }))
    assert.matches("needs restart: name", select(2, it:reload { name = "other" }))
    assert.equal("a", it:eval "daemon.config.word")
    assert.is_true(it:reload())
  end)

  it("of changed code starts it anew, and lets the old drain", function()
    local tree = testing.tree { ["it.lua"] = [[return { name = "it", service = "./work.lua",
      listen = { it = "tcp://127.0.0.1:7" }, timeouts = { drain = "1m" } }]], ["work.lua"] = "" }
    local function work(version, rest)
      tree:write("work.lua", ([[
local luvd, net, service = require "luvd", require "luvd.net", {}
function service.start(daemon)
  %s
  net.serve(daemon.listeners.it, function(conn) conn:write "%s\n" conn:read_line() conn:write "%s ends\n" end)
end
function service.stop(_, reason) luvd.log:info("%s stops: " .. reason) end
return service]]):format(rest or "", version, version, version))
    end
    work "one"
    local it <close> = testing.simulate(tree.path .. "/it.lua")
    local old = it:connect()
    assert.equal("one", old:read_line())
    work("broken", "error('broken', 0)")
    assert.matches("broken", select(2, it:reload()))
    work "two"
    assert.is_true(it:reload())
    assert.equal("one stops: reload", it:wait_log "one stops: reload")
    local new = it:connect()
    assert.equal("two", new:read_line())
    old:write "\n"
    assert.equal("one ends", old:read_line())
    assert.equal(2, it:eval "daemon.generation")
    assert.matches("two stops: stop", it:stop().log)
  end)

  it("comes with HUP, and USR1 opens files anew", function()
    local it <close> = testing.simulate(daemon_file [[
local service = { start = function() end, reload = function() require "luvd".log:info "again" end,
  shout = function() require "luvd".log:info "shouted" end }
return { name = "it", service = service, files = { out = { path = "/var/log/out", mode = "a" } },
  signals = { WINCH = "service.shout" } }]])
    it:signal "HUP"
    assert.equal("again", it:wait_log "again")
    it:eval "daemon.files.out:write 'one'"
    assert(os.rename(it.folder .. "/out.file", it.folder .. "/out.old"))
    it:signal "USR1"
    it:eval "daemon.files.out:write 'two'"
    local file <close> = assert(io.open(it.folder .. "/out.file"))
    assert.equal("two", file:read "a")
    it:signal "WINCH"
    assert.equal("shouted", it:wait_log "shouted")
  end)
end)

describe("what a test asks of it", function()
  it("eval gives values, waits, and raises", function()
    local it <close> = testing.simulate(with_start "")
    assert.same({ 1, "a\0b", { x = { 1.5, true } } }, { it:eval [[1, "a\0b", { x = { 1.5, true } }]] })
    assert.equal(5, it:eval [[(function() require("luvd").sleep(5) return 5 end)()]])
    assert.has_error(function() it:eval "error('no', 0)" end, "no")
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

-- Requests of a client that cannot be given a connection: a server of the test stands in between.
describe("a simulated web service", function()
  it("is asked by luvd.http through a door of the test", function()
    local hello <close> = testing.simulate("examples/hello/hello.lua")
    local door <close> = net.listen "tcp://127.0.0.1:0"
    net.serve(door, function(client)
      local inner <close> = hello:connect()
      inner:write(client:read_until "\r\n\r\n" .. "\r\n\r\n")
      inner:shutdown()
      for bytes in inner:chunks() do client:write(bytes) end
    end)
    local response = assert(http.request(door.address:gsub("^tcp", "http") .. "/door", { pool = false }))
    assert.equal("hello /door\n", response:body())
    assert.is_true(luvd.now() > 0)
  end)
end)
