local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

luvd.classic()

local greeter = [[
local luvd, net = require "luvd", require "luvd.net"
local asked, service = 0, {}
function service.start(daemon)
  net.serve(daemon.listeners.web, function(conn)
    asked = asked + 1
    conn:write(("%s %d\n"):format(daemon.config.banner, asked))
  end)
end
function service.reload(daemon, change)
  if daemon.config.banner == "bad" then error("a bad banner", 0) end
  if daemon.config.banner == "slow" then luvd.sleep "1h" end
  luvd.log:info("banner changed", { from = change.config.banner, to = daemon.config.banner })
end
return service
]]

-- A service, in a file of its own, that greets with config.banner and remembers, in memory, how often it was asked.
local function file(t, banner, keys)
  t:file(greeter, "greeter.lua")
  return t:file(([[
return {
  listen = { web = "tcp://127.0.0.1:0" },
  config = { banner = %q },
  %s
  service = "./greeter.lua",
}
]]):format(banner or "one", keys or ""))
end

-- The same with other code.
local function change_code(t)
  t:file((greeter:gsub("asked %+ 1", "asked + 2")), "greeter.lua")
end

local function greeting(d)
  return client.ask(d:address())
end

describe("a reload", function()
  it("changes config in place, memory survives, and the verdict says so", luvd.test(function(t)
    local d = t:start(file(t))
    assert.equal("one 1\n", greeting(d))
    file(t, "two")
    local verdict = d:reload()
    assert.same({ 0, "" }, { verdict.code, verdict.err })
    assert.equal("two 2\n", greeting(d))
    d:wait_log "banner changed"
    d:stop()
  end))

  it("comes with SIGHUP too", luvd.test(function(t)
    local d = t:start(file(t))
    file(t, "two")
    d:signal "sighup"
    d:wait_log "banner changed"
    assert.equal("two 1\n", greeting(d))
    d:stop()
  end))

  it("is refused when the daemon file is broken; the old one serves on", luvd.test(function(t)
    local d = t:start(file(t))
    t:file "return { umask = 22 }"
    local verdict = d:reload()
    assert.equal(2, verdict.code)
    assert.matches([[umask: expected an octal string such as "027", got 22]], verdict.err, 1, true)
    t:file "this is not Lua"
    verdict = d:reload()
    assert.not_equal(0, verdict.code)
    assert.matches(t.name .. ".lua:1", verdict.err, 1, true)
    assert.equal("one 1\n", greeting(d))
    d:stop()
  end))

  it("is refused when the service's reload raises; the old config is back", luvd.test(function(t)
    local d = t:start(file(t))
    file(t, "bad")
    local verdict = d:reload()
    assert.equal(1, verdict.code)
    assert.matches("a bad banner", verdict.err, 1, true)
    assert.equal("one 1\n", greeting(d))
    d:stop()
  end))

  it("is refused when reload outlasts timeouts.reload", luvd.test(function(t)
    local d = t:start(file(t, "one", [[timeouts = { reload = "200ms" },]]))
    file(t, "slow", [[timeouts = { reload = "200ms" },]])
    local verdict = d:reload()
    assert.equal(1, verdict.code)
    assert.matches("200ms", verdict.err, 1, true)
    assert.equal("one 1\n", greeting(d))
    d:stop()
  end))

  it("is refused by a classic daemon when the code has changed, with that reason", luvd.test(function(t)
    local d = t:start(file(t, nil, "workers = 0,"))
    change_code(t)
    local verdict = d:reload()
    assert.equal(1, verdict.code)
    assert.matches("code", verdict.err)
    assert.equal("one 1\n", greeting(d))
    d:stop()
  end))

  it("is refused when a key may not change, which it names", luvd.test(function(t)
    local d = t:start(file(t))
    file(t, "one", [[pidfile = false,]])
    local verdict = d:reload()
    assert.equal(1, verdict.code)
    assert.matches("pidfile", verdict.err)
    d:stop()
  end))

  it("keeps what --set has said at the start", luvd.test(function(t)
    local d = t:start(file(t), { "--set", "config.banner=mine" })
    assert.equal("mine 1\n", greeting(d))
    assert.equal(0, d:reload().code)
    assert.equal("mine 2\n", greeting(d))
    d:stop()
  end))

  it("shows its verdict in status", luvd.test(function(t)
    local d = t:start(file(t))
    assert.is_nil(d:status().reload)
    t:file "return {"
    d:reload()
    assert.is_not_nil(d:status().reload)
    assert.matches(t.name .. ".lua:1", luvd.json.encode(d:status().reload), 1, true)
    d:stop()
  end))

  it("of one that does not run exits with 3", luvd.test(function(t)
    local path = file(t)
    for _, command in ipairs { "reload", "stop", "status" } do
      assert.equal(3, t:luvd({ command, path }).code)
    end
  end))
end)

describe("a stop", function()
  it("calls the service's stop with the reason, and returns when the process is gone", luvd.test(function(t)
    local d = t:start(t:file(services.start("", "",
      [[stop = function(daemon, reason) daemon.log:info("reason is " .. reason) end]])))
    d:stop()
    assert.matches("reason is stop", d:log())
  end))

  it("lets a handler finish its answer", luvd.test(function(t)
    local d = t:start(t:file(services.start([[net.serve(daemon.listeners.web, function(conn)
        conn:write "half "
        luvd.sleep "300ms"
        conn:write "whole\n"
      end)]], [[listen = { web = "tcp://127.0.0.1:0" },]])))
    local conn = client.connect(d:address())
    loop.wait_for("the first half", function() return conn.received == "half " end)
    d:signal "sigterm"
    assert.equal("half whole\n", conn:read_all())
    conn:close()
    d:wait_end()
  end))

  it("is bounded by timeouts.stop when a handler never ends", luvd.test(function(t)
    local d = t:start(t:file(services.echo [[timeouts = { stop = "300ms" },]]))
    local conn = client.connect(d:address())
    conn:write "x\n"
    conn:read_line()
    d:stop()
    conn:read_all()
    conn:close()
  end))

  it("by a second SIGTERM is immediate even while Lua spins", luvd.test(function(t)
    local d = t:start(t:file(services.start("", "", [[stop = function(daemon)
      daemon.log:info "spinning"
      while true do end
    end]])))
    d:signal "sigterm"
    d:wait_log "spinning"
    assert.is_true(d:alive())
    loop.wait_for("the end", function()
      if d:alive() then d:signal "sigterm" end
      return not d:alive()
    end)
    t:assert_no_process()
  end))

  it("by SIGQUIT does not ask the service", luvd.test(function(t)
    local d = t:start(t:file(services.start("", "",
      [[stop = function(daemon) daemon.log:info "asked" end]])))
    d:signal "sigquit"
    d:wait_end()
    assert.is_nil(d:log():match "asked")
  end))

  it("by luvd.stop is like any other", luvd.test(function(t)
    local d = t:start(t:file(services.start([[luvd.every("10ms", function() luvd.stop() end)]], "",
      [[stop = function(daemon) daemon.log:info "stopping well" end]])))
    d:wait_end()
    assert.matches("stopping well", d:log())
    t:assert_nothing_left()
  end))

  it("works when the daemon file has been broken, moved or removed", luvd.test(function(t)
    local path = t:file(services.echo())
    local d = t:start(path)
    t:file "this is not Lua"
    assert.equal(0, t:luvd({ "status", path }).code)
    d:stop()
    t:file(services.echo())
    d = t:start(path)
    assert(uv.fs_rename(path, path .. ".moved"))
    d:stop()
  end))

  it("works by name", luvd.test(function(t)
    t:start(t:file(services.echo()))
    assert.equal(0, t:luvd({ "stop", t.name }).code)
    t:assert_nothing_left()
  end))

  it("refuses when another daemon file has the name", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    local other = t:file(services.echo(("name = %q,"):format(t.name)), "other.lua")
    local result = t:luvd { "stop", other }
    assert.not_equal(0, result.code)
    assert.is_true(d:alive())
    d:stop()
  end))

  it("falls back on a signal when the control socket is gone", luvd.test(function(t)
    local d = t:start(t:file(services.echo "control = false,"))
    d:stop()
  end))
end)

describe("luvd restart", function()
  it("ends the old process and starts a new one", luvd.test(function(t)
    local path = file(t)
    local d = t:start(path)
    change_code(t)
    local result = t:luvd { "restart", path }
    assert.same({ 0, "" }, { result.code, result.err })
    assert.is_false(d:alive())
    assert.equal("one 2\n", greeting(d))
    d:stop()
  end))

  it("keeps the old process when the daemon file is wrong", luvd.test(function(t)
    local path = file(t)
    local d = t:start(path)
    t:file "return {"
    assert.equal(2, t:luvd({ "restart", path }).code)
    assert.is_true(d:alive())
    assert.equal("one 1\n", greeting(d))
    d:stop()
  end))
end)

describe("signals", function()
  it("without an action are caught and logged, with the sender's pid", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    d:signal "sigusr2"
    d:wait_log "USR2"
    d:wait_log(tostring(math.tointeger(uv.os_getpid())))
    d:signal "sigint"
    d:wait_log "INT"
    assert.is_true(d:alive())
    d:stop()
  end))

  it("call the service's function when the daemon file says so", luvd.test(function(t)
    local d = t:start(t:file(services.start("", [[signals = { WINCH = "service.resized" },]],
      [[resized = function(daemon) daemon.log:info "resized" end]])))
    d:signal "sigwinch"
    d:wait_log "resized"
    d:stop()
  end))

  it("leave a daemon with all it catches unblocked, and only PIPE and XFSZ ignored", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    local status = proc.status(d.pid)
    assert.same({}, proc.signals(status, "SigBlk"))
    assert.same({ 13, 25 }, proc.signals(status, "SigIgn"))
    d:stop()
  end))

  it("in a burst collapse, and the last daemon file wins", luvd.test(function(t)
    local d = t:start(file(t))
    d:signal "sigstop" -- a daemon that is slow to hear
    for i = 1, 20 do
      file(t, "number" .. i)
      d:signal "sighup"
    end
    d:signal "sigcont"
    d:wait_log "number20"
    assert.equal("number20 1\n", greeting(d))
    local _, times = d:log():gsub("banner changed", "")
    assert.is_true(times < 20)
    d:stop()
  end))
end)
