-- lua.slice and lua.abort: what keeps the loop from everybody else is seen while it does, and ended.

local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local tree = require "support.tree"

-- Each line that a client sends is the name of a function to call; it gets `released`, which says whether the spec lets
-- it go on, and its result is the answer.
local function service(t, functions)
  return ([[
local net = require "luvd.net"
local function released() return io.open(%q) ~= nil end
local functions = { ping = function() return "pong" end, %s }
return { start = function(daemon)
  net.serve(daemon.listeners.web, function(conn)
    for line in conn:lines() do conn:write(tostring(functions[line](released)) .. "\n") end
  end)
end }]]):format(t.folder .. "/release", functions)
end

-- Only the limits are in the daemon file: a reload that changes them is one in place.
local function file(t, functions, limits)
  t:file(service(t, functions), "blocker.lua")
  return t:file(([[return {
  workers = 0,
  listen = { web = "tcp://127.0.0.1:0" },
  lua = { %s },
  service = "./blocker.lua",
}]]):format(limits))
end

local function release(t)
  tree.write(t.folder .. "/release", "")
end

local function ask(d, line)
  return client.ask(d:address(), line .. "\n")
end

describe("a handler that blocks longer than lua.slice", function()
  it("is logged with its traceback while it blocks", luvd.test(function(t)
    local d = t:start(file(t, [[spin = function(released)
      local function wait_for_it() while not released() do end end
      wait_for_it()
      return "done"
    end]], [[slice = "20ms"]]))
    local conn = client.connect(d:address()):write "spin\n"
    d:wait_log "warn [^\n]+Lua has run for [^\n]+ without giving way %(lua%.slice%)"
    assert.matches("stack traceback:.-/blocker%.lua:4: in local 'wait_for_it'", d:log())
    assert.equal("", conn.received)
    release(t)
    assert.equal("done", conn:read_line())
    conn:close()
    assert.equal("pong\n", ask(d, "ping"))
    local _, count = d:log():gsub("%(lua%.slice%)", "")
    assert.equal(1, count)
    d:stop()
  end))

  it("is found inside its coroutines, with those that resumed them", luvd.test(function(t)
    local d = t:start(file(t, [[spin = function(released)
      local function inner() while not released() do end return "done" end
      return coroutine.wrap(function() return select(2, coroutine.resume(coroutine.create(inner))) end)()
    end]], [[slice = "20ms"]]))
    local conn = client.connect(d:address()):write "spin\n"
    d:wait_log "%(lua%.slice%).-stack traceback:.-resumed by:.-'coroutine%.resume'.-resumed by:.-/blocker%.lua:5: in "
    release(t)
    assert.equal("done", conn:read_line())
    conn:close()
    d:stop()
  end))

  it("in a program or a function in C is not disturbed, and logged when Lua runs again", luvd.test(function(t)
    local d = t:start(file(t, [[sleep = function()
      local ok, how, code = os.execute "sleep 0.2"
      local pipe = io.popen "sleep 0.2; echo read"
      local line = pipe:read "l"
      return ok and how == "exit" and code == 0 and pipe:close() and line
    end]], [[slice = "10ms"]]))
    assert.equal("read\n", ask(d, "sleep"))
    d:wait_log "without giving way, was in C %(lua%.slice%).-stack traceback:.-/blocker%.lua:5: in "
    d:stop()
  end))
end)

describe("a handler that blocks longer than lua.abort", function()
  it("gets an error, and the next client an answer", luvd.test(function(t)
    local d = t:start(file(t, [[spin = function() while true do end end]], [[slice = "20ms", abort = "60ms"]]))
    assert.equal("", ask(d, "spin"))
    assert.equal("pong\n", ask(d, "ping"))
    d:wait_log "%(lua%.slice%).-error [^\n]+aborted: Lua has run for 60ms without giving way %(lua%.abort%)"
    assert.matches("%(lua%.abort%)[^\n]*\n +stack traceback:\n +[^\n]+/blocker%.lua:3: in ", d:log())
    assert.equal(1, d:status().lua.failed)
    d:stop()
  end))

  it("does not escape in a coroutine or a loop around pcall", luvd.test(function(t)
    local d = t:start(file(t, [[
      coroutines = function()
        while true do coroutine.resume(coroutine.create(function() while true do end end)) end
      end,
      protected = function()
        local function spin() while true do end end
        while true do pcall(function() while true do pcall(spin) end end) end
      end]], [[abort = "50ms"]]))
    assert.equal("", ask(d, "coroutines"))
    assert.equal("", ask(d, "protected"))
    assert.equal("pong\n", ask(d, "ping"))
    assert.equal(2, d:status().lua.failed)
    d:stop()
  end))

  it("can answer with what pcall tells it", luvd.test(function(t)
    local d = t:start(file(t,
      [[spin = function() return select(2, pcall(function() while true do end end)) end]],
      [[abort = "50ms"]]))
    assert.matches("aborted: Lua has run for 50ms without giving way %(lua.abort%)\n", ask(d, "spin"))
    d:stop()
  end))

  it("is ended in start and stop too", luvd.test(function(t)
    local keys = [[workers = 0, lua = { abort = "50ms" },]]
    local result = t:failed_start(t:file(services.start("while true do end", keys)))
    assert.matches("start: .-aborted: Lua has run for 50ms", result.err)
    local d = t:start(t:file(services.start("", keys, "stop = function() while true do end end,")))
    d:stop()
    assert.matches("stop: .-aborted: Lua has run for 50ms", d:log())
  end))
end)

describe("lua.slice and lua.abort", function()
  local spin = [[spin = function(released) while not released() do end return "done" end]]

  it("are changed by a reload", luvd.test(function(t)
    local d = t:start(file(t, spin, [[slice = "1h", abort = 0]]))
    file(t, spin, [[slice = "20ms", abort = "60ms"]])
    assert.equal(0, d:reload().code)
    assert.equal("", ask(d, "spin"))
    d:wait_log "%(lua%.slice%).-%(lua%.abort%)"
    d:stop()
  end))

  it("do not wake an idle daemon", luvd.test(function(t)
    local d = t:start(file(t, spin, [[slice = "5ms", abort = "1s"]]))
    -- Many times as long as the slice, whatever the machine.
    local function a_while()
      for _ = 1, 10 do t:luvd { "check", d.file } end
    end
    local function switches()
      return proc.status(d.pid).voluntary_ctxt_switches[1]
    end
    assert.equal("pong\n", ask(d, "ping"))
    a_while()
    local before = switches()
    a_while()
    assert.equal(before, switches())
    d:stop()
  end))
end)

describe("lua.memory", function()
  it("is an error that the handler can answer with, and the daemon lives", luvd.test(function(t)
    local d = t:start(file(t, [[fill = function()
      local held = {}
      return select(2, pcall(function() for i = 1, 1e7 do held[i] = ("x"):rep(1000) .. i end end))
    end]], [[memory = "8MiB"]]))
    for _ = 1, 3 do
      assert.equal("not enough memory\n", ask(d, "fill"))
      assert.equal("pong\n", ask(d, "ping"))
    end
    assert.equal(0, d:status().lua.failed)
    d:stop()
  end))
end)
