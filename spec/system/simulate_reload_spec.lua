-- A simulated daemon is reloaded and stopped. This file itself runs under luvd.

local specimens = require "support.specimens"
local testing = require "luvd.testing"

local daemon_file = specimens.file
local with_start = specimens.with_start
local echo = specimens.echo

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
