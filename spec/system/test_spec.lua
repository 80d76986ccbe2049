-- luvd test: busted with a leak check, a time limit and a watch.

local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

local MODULES = [[local luvd, net, task, uv = require "luvd", require "luvd.net", require "luvd.task", require "uv"
]]
local lua = luvd.binary .. "-lua"

-- A file of tests in the folder of t, where all is run.
local function write(t, text)
  tree.write(t.folder .. "/made_spec.lua", MODULES .. text)
end

local function run(t, arguments, options)
  return t:luvd({ "test", "-o", "TAP", table.unpack(arguments or { "made_spec.lua" }) }, options)
end

-- The file has one test, whose body is given.
local function run_one(t, body, arguments, options)
  write(t, ('it("is tried", function()\n%s\nend)'):format(body))
  return run(t, { "made_spec.lua", table.unpack(arguments or {}) }, options)
end

local function assert_passes(result)
  assert.equal("ok 1 - is tried\n1..1\n", result.out, result.err)
  assert.equal(0, result.code)
end

local function assert_fails(pattern, result)
  assert.matches("^not ok 1 %- is tried\n# made_spec%.lua @ 2\n# Failure message: " .. pattern, result.out, result.err)
  assert.matches("\n1%.%.1\n$", result.out)
  assert.equal(1, result.code)
end

describe("luvd test", function()
  it("runs what plain busted runs, and says the same", luvd.test(function(t)
    write(t, [[
      describe("numbers", function()
        before_each(function() end)
        it("are equal", function() assert.equal(1, 1) end)
        it("are not", function() assert.equal(1, 2) end)
        it("raise", function() error "no" end)
        it("wait for later", function() pending "later" end)
        pending("are not there yet")
        describe("after", function()
          after_each(function() error "too late" end)
          it("is right itself", function() end)
        end)
      end)]])
    tree.write(t.folder .. "/plain.lua", "package.preload.luvd, package.preload.uv = error, error\n")
    local body = proc.slurp(t.folder .. "/made_spec.lua"):sub(#MODULES + 1)
    tree.write(t.folder .. "/plain_spec.lua", "\n" .. body)
    local plain = t:command { "/usr/bin/busted", "--lua=lua5.4", "-o", "TAP", "plain_spec.lua" }
    local result = run(t)
    assert.equal(plain.out:gsub("plain_spec", "made_spec"), result.out)
    assert.same({ 1, 1 }, { plain.code, result.code })
  end))

  it("lets a test wait, in all that busted calls", luvd.test(function(t)
    write(t, [[
      local steps = 0
      local function wait() luvd.sleep "1ms" steps = steps + 1 end
      setup(wait) teardown(wait) before_each(wait) after_each(wait)
      it("waits", function()
        finally(wait)
        wait()
        assert.has_error(function() wait() error "x" end)
        assert.equal(4, steps)
      end)]])
    local result = run(t)
    assert.equal("ok 1 - waits\n1..1\n", result.out)
    assert.equal(0, result.code)
  end))

  it("reads .busted, whose interpreter it is itself", luvd.test(function(t)
    tree.write(t.folder .. "/.busted", 'return { default = { lua = "/nowhere", ROOT = { "." }, pattern = "_test" } }')
    tree.write(t.folder .. "/a_test.lua", 'it("is found", function() require "luvd" end)')
    local result = run(t, {})
    assert.equal("ok 1 - is found\n1..1\n", result.out, result.err)
  end))

  it("passes busted's options on", luvd.test(function(t)
    write(t, 'it("one", function() end) it("two", function() end)')
    assert.equal("ok 1 - two\n1..1\n", run(t, { "--filter", "two", "made_spec.lua" }).out)
    assert.matches("unknown/bad flag: %-%-no%-such", run(t, { "--no-such" }).err)
  end))

  it("says which package is missing", luvd.test(function(t)
    local result = t:luvd({ "test" }, { more_env = { "LUA_PATH=/nowhere/?.lua" } })
    assert.equal(1, result.code)
    assert.matches("^luvd: test: cannot find busted: install it %(lua%-busted in Debian", result.err)
  end))

  for what, words in pairs { ["--time-limit: expected a duration such as 30s, got 'soon'"] = { "--time-limit", "soon" },
    ["a value is missing after '--time-limit'"] = { "--time-limit" },
    ["--coverage: which file? an empty name was given"] = { "--coverage=" } } do
    it("refuses " .. table.concat(words, " "), luvd.test(function(t)
      local result = t:luvd { "test", table.unpack(words) }
      assert.same({ 2, "luvd: test: " .. what .. "\n" }, { result.code, result.err })
    end))
  end
end)

describe("a test that leaves something behind fails and says which:", function()
  local function leaves(what, body, pattern)
    it(what, luvd.test(function(t)
      assert_fails("left behind:\n#   " .. pattern .. "\n1%.%.1", run_one(t, body))
    end))
  end

  leaves("a listener", 'kept = assert(net.listen "tcp://127.0.0.1:0")',
    "listener at tcp://127%.0%.0%.1:%d+, made at made_spec%.lua:3")
  leaves("a connection", [[local listener <close> = assert(net.listen "tcp://127.0.0.1:0")
    kept = assert(net.connect(listener.address))]],
    "connection to tcp://127%.0%.0%.1:%d+, made at made_spec%.lua:4")
  leaves("a timer", 'luvd.every("10m", function() end)', "timer of luvd%.every, made at made_spec%.lua:3")
  leaves("a task", 'task.spawn(function() luvd.sleep "10m" end)',
    'task "task", which is waiting, made at made_spec%.lua:3')
  leaves("a watcher", 'require "luvd.fs".watch("/tmp", function() end)', "watcher of /tmp, made at made_spec%.lua:3")
  leaves("a handle of luv", 'uv.new_timer():start(60000, 0, function() end)', "uv_timer, active")
  leaves("a file", 'kept = io.open "/dev/null"', "descriptor %d+: /dev/null")
  leaves("a process of luv", 'uv.spawn("/bin/sleep", { args = { "20" } }, function() end)', "uv_process %d+ %(sleep%)")
  leaves("a process that luv knows no more",
    'local process = uv.spawn("/bin/sleep", { args = { "20" } }, function() end) process:close()',
    "process %d+ %(sleep%)")

  it("but not what the collector takes", luvd.test(function(t)
    assert_passes(run_one(t, 'io.open "/dev/null" net.listen "tcp://127.0.0.1:0"'))
  end))

  it("nor what is being closed", luvd.test(function(t)
    assert_passes(run_one(t, [[local listener = assert(net.listen "tcp://127.0.0.1:0")
      net.serve(listener, function(conn) conn:read_line() end)
      assert(net.connect(listener.address)):close()
      listener:close()
      uv.new_timer():close()]]))
  end))

  it("nor what ends soon, when luvd.sleep is a stub", luvd.test(function(t)
    assert_passes(run_one(t, [[local wait = luvd.sleep
      task.spawn(function() wait "20ms" end)
      stub(luvd, "sleep")]]))
  end))

  it("nor connections that http.request keeps", luvd.test(function(t)
    assert_passes(run_one(t, [[local http = require "luvd.http"
      local listener <close> = assert(net.listen "tcp://127.0.0.1:0")
      http.serve(listener, function() return "x" end)
      assert(http.request(listener.address:gsub("^tcp", "http") .. "/"))]]))
  end))

  it("nor what its after_each closes", luvd.test(function(t)
    write(t, [[local kept
      after_each(function() kept:close() end)
      it("is tried", function() kept = assert(net.listen "tcp://127.0.0.1:0") end)]])
    assert_passes(run(t))
  end))

  it("and the next test is not blamed", luvd.test(function(t)
    write(t, 'it("one", function() kept = io.open "/dev/null" end) it("two", function() end)')
    assert.matches("^not ok 1.-\nok 2 %- two\n", run(t).out)
  end))

  it("and a setup that leaves something is the error of its block", luvd.test(function(t)
    write(t, [[describe("block", function()
      setup(function() kept = io.open "/dev/null" end)
      it("is right", function() end)
    end)]])
    assert.matches("^ok 1 %- block is right\nnot ok 2 %- block\n#[^\n]+\n# Failure message: left behind:\n",
      run(t).out)
  end))

  it("but not with --no-leaks, nor with LUVD_TEST_LEAKS=0", luvd.test(function(t)
    local body, no = 'kept = io.open "/dev/null"', { more_env = { "LUVD_TEST_LEAKS=0" } }
    assert_passes(run_one(t, body, { "--no-leaks" }))
    assert_passes(run_one(t, body, {}, no))
    assert_fails("left behind:", run_one(t, body, { "--no-leaks" }, { more_env = { "LUVD_TEST_LEAKS=1" } }))
  end))
end)

describe("a test in which something fails that nobody waits for fails:", function()
  local function fails(what, body, pattern)
    it(what, luvd.test(function(t)
      assert_fails("failed during the test:\n# made_spec%.lua:%d+: " .. pattern .. "\n# stack traceback:",
        run_one(t, body))
    end))
  end

  fails("a task", 'task.spawn(function() error "in a task" end)', "in a task")
  fails("a callback of luv", [[local timer = uv.new_timer()
    timer:start(1, 0, function() timer:close() error "in a callback" end)
    while not timer:is_closing() do uv.run "once" end]], "in a callback")
  fails("a handler", [[local listener <close> = assert(net.listen "tcp://127.0.0.1:0")
    net.serve(listener, function() error "in a handler" end)
    local conn <close> = assert(net.connect(listener.address))
    conn:read()]], "in a handler")

  it("and its own failure is shown first", luvd.test(function(t)
    local result = run_one(t, 'task.spawn(function() error "in a task" end) luvd.sleep "1ms" error "of its own"')
    assert_fails("made_spec%.lua:3: of its own\n# failed during the test:\n# made_spec%.lua:3: in a task\n", result)
  end))
end)

describe("a test that takes longer than --time-limit fails", function()
  for what, body in pairs { ["where it waits"] = 'luvd.sleep "1h"', ["where it spins"] = "while true do end",
    ["where it spins in a coroutine"] = "coroutine.wrap(function() while true do end end)()",
    ["in uv.run"] = [[local timer = uv.new_timer()
      finally(function() timer:close() end)
      timer:start(3600000, 0, function() end)
      uv.run()]] } do
    it(what, luvd.test(function(t)
      assert_fails("made_spec%.lua:%d+: took longer than 50ms\n", run_one(t, body, { "--time-limit=50ms" }))
    end))
  end

  it("also when it goes on", luvd.test(function(t)
    assert_fails("took longer than 0%.05s\n", run_one(t, 'pcall(luvd.sleep, "1h")', { "--time-limit", "50ms" }))
  end))

  it("and the next one has its own time", luvd.test(function(t)
    write(t, 'it("one", function() luvd.sleep "1h" end) it("two", function() luvd.sleep "1ms" end)')
    assert.matches("^not ok 1.-\nok 2 %- two\n", run(t, { "--time-limit", "50ms", "made_spec.lua" }).out)
  end))

  it("and all ends when it cannot be ended", luvd.test(function(t)
    local body = "while true do pcall(function() while true do end end) end"
    local result = run_one(t, body, { "--time-limit=50ms" })
    assert.same({ 1, "took longer than 50ms, and does not end: all is given up\n" }, { result.code, result.err })
  end))
end)

describe("busted --lua=luvd-lua", function()
  it("may wait", luvd.test(function(t)
    write(t, 'it("is tried", function() luvd.sleep "1ms" end)')
    assert_passes(t:command { "/usr/bin/busted", "--lua=" .. lua, "-o", "TAP", "made_spec.lua" })
  end))

  it("ends when busted does, whatever is left", luvd.test(function(t)
    local line = { "/usr/bin/busted", "--lua=" .. lua, "-o", "TAP", "made_spec.lua" }
    write(t, 'it("is tried", function() kept = uv.new_timer() kept:start(3600000, 0, function() end) end)')
    assert_passes(t:command(line))
    write(t, 'it("is tried", function() task.spawn(function() error "late" end) luvd.sleep "1ms" end)')
    assert.equal(1, t:command(line).code)
  end))

  it("has all of luvd test with its helper", luvd.test(function(t)
    local line = { "/usr/bin/busted", "--lua=" .. lua, "--helper=luvd.test.helper", "-o", "TAP", "made_spec.lua",
      "-Xhelper", "time-limit=50ms" }
    write(t, 'it("is tried", function()\nkept = io.open "/dev/null" end)')
    assert_fails("left behind:\n#   descriptor", t:command(line))
    write(t, 'it("is tried", function()\nluvd.sleep "1h" end)')
    assert_fails("made_spec%.lua:3: took longer than 50ms", t:command(line))
    write(t, 'it("is tried", function()\nkept = assert(net.listen "tcp://127.0.0.1:0") end)')
    assert_passes(t:command(line, { more_env = { "LUVD_TEST_LEAKS=0" } }))
  end))
end)

describe("a thousand small tests", function()
  -- Seconds of the processor that a command takes.
  local function cost(t, command)
    local times = t:command({ "/bin/sh", "-c", command .. " -o TAP made_spec.lua >/dev/null; times" }).out
    local total = 0
    for minutes, seconds in times:match("\n(.*)"):gmatch "(%d+)m([%d.]+)s" do total = total + 60 * minutes + seconds end
    return total
  end

  it("take less than a second more than under busted #plain", luvd.test(function(t)
    tree.write(t.folder .. "/made_spec.lua", [[
      for number = 1, 1000 do
        it("adds " .. number, function() assert.equal(2 * number, number + number) end)
      end]])
    local plain, ours = cost(t, "busted --lua=lua5.4"), cost(t, luvd.binary .. " test")
    assert.is_true(plain > 0)
    assert.is_true(ours - plain < 1, ("%.2f s after %.2f s"):format(ours, plain))
  end))
end)

describe("luvd.test.hooks", function()
  local HOOKS = 'local hooks = require "luvd.test.hooks"\n'

  it("are called around the body, inside of what busted calls, under luvd test and busted", luvd.test(function(t)
    write(t, HOOKS .. [[
      local steps = {}
      local function step(name) return function() steps[#steps + 1] = name end end
      describe("one", function()
        hooks.before_each(step "before")
        hooks.after_each(function(failed) steps[#steps + 1] = failed and "failed" or "after" end)
        before_each(step "before_each")
        after_each(step "after_each")
        it("test", step "it")
        it("test", function() error "x" end)
        it("test", function()
          assert.equal("before_each before it after_each after before_each before after_each failed before_each before",
            table.concat(steps, " "))
        end)
      end)]])
    for _, command in ipairs { { luvd.binary, "test" }, { "/usr/bin/busted", "--lua=" .. lua } } do
      local result = t:command { command[1], command[2], "-o", "TAP", "made_spec.lua" }
      assert.matches("\nok 3 %- one test\n1%.%.3\n$", result.out, result.err)
    end
  end))

  it("show a text with a failure only, and their error is one", luvd.test(function(t)
    write(t, HOOKS .. [[
      local wrong
      it("one", function() hooks.after_each(function() if wrong then error "of the hook" end return "the log" end) end)
      it("two", function() error "own" end)
      it("three", function() wrong = true end)]])
    assert.matches("^ok 1 %- one\nnot ok 2 %- two\n#[^\n]+\n# Failure message: made_spec.lua:5: own\n# the log\n"
      .. "not ok 3 %- three\n#[^\n]+\n# Failure message: made_spec.lua:4: of the hook\n", run(t).out)
  end))

  it("of all files are called, though busted loads modules anew for each file", luvd.test(function(t)
    local text = 'require "luvd.test.hooks".before_each(function() count = (count or 0) + 1 end)\n'
    tree.write(t.folder .. "/a_spec.lua", text .. 'it("a", function() assert.equal(1, count) end)')
    tree.write(t.folder .. "/b_spec.lua", text .. 'it("b", function() assert.equal(2, count) end)')
    assert.equal("ok 1 - a\nok 2 - b\n1..2\n", run(t, { "a_spec.lua", "b_spec.lua" }).out)
  end))
end)

describe("luvd test --watch", function()
  local function wait_for(child, pattern)
    loop.wait_for(pattern .. ": " .. child.err, function() return child.err:find(pattern) end)
  end

  it("runs the tests again when a file changes, each time in a process of its own", luvd.test(function(t)
    tree.write(t.folder .. "/value.lua", "return 1\n")
    tree.write(t.folder .. "/made_spec.lua", 'it("is one", function() assert.equal(1, require "value") end)')
    local child = t:spawn { luvd.binary, "test", "-o", "TAP", "--watch", "made_spec.lua" }
    wait_for(child, "^luvd: test: passed; waiting for a change of a file, Ctrl%-C ends\n")
    tree.write(t.folder .. "/value.lua", "return 22\n")
    wait_for(child, "passed.-\nluvd: test: failed; waiting")
    tree.write(t.folder .. "/value.new", "return 1\n")
    assert(uv.fs_rename(t.folder .. "/value.new", t.folder .. "/value.lua"))
    wait_for(child, "failed.-\nluvd: test: passed; waiting")
    assert.matches("^ok 1 %- is one\n1%.%.1\nnot ok 1 %- is one\n.-\n1%.%.1\nok 1 %- is one\n1%.%.1\n$", child.out)
    uv.kill(child.pid, "sigint")
    loop.wait_for("its end", function() return child.code end)
    assert.equal(130, child.code)
    t:assert_no_process()
  end))
end)
