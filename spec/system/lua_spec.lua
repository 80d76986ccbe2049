-- `luvd lua` and luvd-lua: scripts whose main flow may wait, with lua's own options.

local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

local interpreter = luvd.binary .. "-lua"

-- The end of `luvd-lua ARGUMENTS...`, which reads input.
local function run(t, arguments, input, options)
  local child = t:spawn({ interpreter, table.unpack(arguments) }, options)
  if input then child:write(input) end
  return child:wait()
end

-- What a script's text prints; it must succeed and complain of nothing.
local function output(t, text, ...)
  local result = run(t, { t:file(text, "script.lua"), ... })
  assert.same({ 0, "" }, { result.code, result.err })
  return result.out
end

-- The same of a script that starts so.
local function script(t, text, ...)
  return output(t, [[
    local luvd, net, task, uv = require "luvd", require "luvd.net", require "luvd.task", require "uv"
  ]] .. text, ...)
end

describe("the main flow of a script", function()
  it("is the main thread, and waits", luvd.test(function(t)
    assert.equal("true\ttrue\n", script(t, [[
      local before = luvd.now()
      luvd.sleep "20ms"
      print(select(2, coroutine.running()), luvd.now() - before >= 0.02)
    ]]))
  end))

  it("waits inside what Lua cannot suspend: sort, gsub, metamethods and coroutines of its own", luvd.test(function(t)
    assert.equal("1\t2\t3\nyy\t2\nmeta\n1\t2\n", script(t, [[
      local list = { 3, 1, 2 }
      table.sort(list, function(a, b) luvd.sleep(0.001) return a < b end)
      print(table.unpack(list))
      print((("xx"):gsub("x", function() luvd.sleep(0.001) return "y" end)), 2)
      print(setmetatable({}, { __index = function() luvd.sleep(0.001) return "meta" end }).any)
      local generate = coroutine.wrap(function() luvd.sleep(0.001) coroutine.yield(1) luvd.sleep(0.001) return 2 end)
      print(generate(), generate())
    ]]))
  end))

  it("lets tasks run while it waits, and waits for them", luvd.test(function(t)
    assert.equal("1\t2\n3\t4\nin the group\nnil\tETIMEDOUT\nfalse\tno\n", script(t, [[
      print(task.all(function() luvd.sleep "5ms" return 1 end, function() return 2 end))
      print(task.spawn(function(...) luvd.sleep "1ms" return ... end, 3, 4):wait())
      do
        local group <close> = task.group()
        group:spawn(function() luvd.sleep "1ms" print "in the group" end)
      end
      local value, _, code = task.timeout("5ms", luvd.sleep, 60)
      print(value, code)
      print(pcall(task.all, function() error("no", 0) end))
    ]]))
  end))

  it("serves and connects, and reads what is much longer than a packet", luvd.test(function(t)
    assert.equal("HELLO\n16777216\n", script(t, [[
      local listener <close> = net.listen "tcp://127.0.0.1:0"
      net.serve(listener, function(conn)
        conn:write(conn:read_line():upper() .. "\n")
        conn:write(("x"):rep(1 << 24))
      end)
      local conn <close> = net.connect(listener.address)
      conn:write "hello\n"
      print(conn:read_line())
      print(#conn:read_exactly(1 << 24))
    ]]))
  end))

  it("is told when nothing is left that could end a wait", luvd.test(function(t)
    assert.equal("false\tcannot wait: nothing is left that could end it\nafter\n", script(t, [[
      print(pcall(function() return (task.channel():receive()) end))
      luvd.sleep "1ms"
      print "after"
    ]]):gsub("\t[^\t]*script.lua:%d+: ", "\t"))
  end))

  it("cannot wait in a callback that the loop itself calls", luvd.test(function(t)
    assert.matches("cannot wait outside of a task: use task.spawn", script(t, [[
      local thread = uv.new_work(function() return 1 end, function() print(pcall(luvd.sleep, 0)) end)
      local prepare = uv.new_prepare()
      thread:queue()
      uv.run()
      prepare:close()
      local co = coroutine.create(function() end)
      require "luvd.script".on_failure(function() print(pcall(luvd.sleep, 0)) end)
      task.spawn(error, "seen")
      luvd.sleep "1100ms"
    ]]))
  end))
end)

describe("the loop of a script", function()
  it("goes on after the main chunk until nothing keeps it alive", luvd.test(function(t)
    assert.equal("the end\ntick\ntick\nthe timer is closed\n", script(t, [[
      local count, timer = 0, nil
      timer = luvd.every("2ms", function()
        count = count + 1
        print "tick"
        if count == 2 then timer:close() print "the timer is closed" end
      end)
      print "the end"
    ]]))
  end))

  it("is not kept alive by a timeout that nobody waits for any more", luvd.test(function(t)
    local before = os.time()
    script(t, [[
      local listener <close> = net.listen "tcp://127.0.0.1:0"
      net.serve(listener, function(conn) conn:write "x" end)
      local conn <close> = net.connect(listener.address)
      assert(conn:read { timeout = "1h" } == "x")
    ]])
    assert.is_true(os.time() - before < 60)
  end))

  it("runs by uv.run in the main flow, and nowhere else", luvd.test(function(t)
    assert.equal("timer\nfalse\nfalse\tthe loop is running already\n", (script(t, [[
      local timer = uv.new_timer()
      timer:start(1, 0, function() print "timer" timer:close() end)
      print(uv.run())
      print(task.spawn(pcall, uv.run):wait())
    ]]):gsub("uv.run: ", "")))
  end))

  it("is told by a thread through its handle", luvd.test(function(t)
    assert.equal("from the thread\n", script(t, [[
      local async
      async = uv.new_async(function(text) print(text) async:close() end)
      uv.new_thread(function(handle) require "luv".async_send(handle, "from the thread") end, async):join()
    ]]))
  end))

  it("ends with uv.stop", luvd.test(function(t)
    assert.equal("true\n", script(t, [[
      local timer = uv.new_timer()
      timer:start(1, 1, function() uv.stop() end)
      print(uv.run())
    ]]))
  end))
end)

describe("the end of a script", function()
  it("is 1 after an error, with its traceback under the program's name", luvd.test(function(t)
    local file = t:file("local function f() error 'no' end\nf()", "script.lua")
    local result = t:command { interpreter, file }
    local plain = t:command { "/usr/bin/lua5.4", file }
    assert.equal(1, result.code)
    assert.equal(plain.err:gsub("^/usr/bin/lua5.4", ""), (result.err:gsub("^" .. interpreter:gsub("%p", "%%%0"), "")))
    assert.matches("^luvd lua: ", t:luvd({ "lua", file }).err)
  end))

  it("is what os.exit says, in a task and in a callback too", luvd.test(function(t)
    for _, text in ipairs { "os.exit(7)", "os.exit(7, true)", "require 'luvd'.stop(7)",
      "require 'luvd.task'.spawn(os.exit, 7) require 'luvd'.sleep(60)",
      "require 'uv'.new_timer():start(1, 0, function() os.exit(7, true) end)" } do
      assert.same({ 7, "" }, { run(t, { "-e", text }).code, run(t, { "-e", text }).err })
    end
  end))

  it("is the same wherever os.exit closes the state, with all that is open", luvd.test(function(t)
    local text = [[
      local luvd, net, task, uv = require "luvd", require "luvd.net", require "luvd.task", require "uv"
      local listener = net.listen "tcp://127.0.0.1:0"
      net.serve(listener, function(conn) conn:read() end)
      local conn = net.connect(listener.address)
      task.spawn(conn.read, conn)
      uv.new_timer():start(1, 1, function() end)
      local _ <close> = task.defer(function() print "closed" end)
      setmetatable({}, { __gc = function() print(pcall(luvd.sleep, 0)) end })
      ]]
    for _, last in ipairs { "os.exit(3, true)", "coroutine.wrap(os.exit)(3, true)",
      "task.spawn(os.exit, 3, true) luvd.sleep(60)",
      "uv.new_timer():start(1, 0, function() os.exit(3, true) end) luvd.sleep(60)" } do
      local result = run(t, { "-e", text .. last })
      assert.equal("closed\nfalse\tcannot wait: the script has ended\n", result.out)
      assert.same({ 3, "" }, { result.code, result.err })
    end
  end))

  it("loses no memory #plain", luvd.test(function(t)
    local file = t:file([[
      local luvd, net, task = require "luvd", require "luvd.net", require "luvd.task"
      local listener <close> = net.listen "tcp://127.0.0.1:0"
      net.serve(listener, function(conn) for line in conn:lines() do conn:write(line .. "\n") end end)
      local conn <close> = net.connect(listener.address)
      conn:write "line\n"
      assert(conn:read_line { timeout = "1h" } == "line")
      task.all(function() luvd.sleep "1ms" end, function() assert(not pcall(task.timeout, "1ms", luvd.sleep)) end)
      require "luvd.script".deadline "1ms"
      print(pcall(luvd.sleep, 60))
      require "luvd.script".deadline(nil)
      task.spawn(function() task.channel():receive() end)
    ]], "script.lua")
    local result = t:command { "/usr/bin/valgrind", "--quiet", "--leak-check=full", "--error-exitcode=99",
      "--show-leak-kinds=definite,indirect", "--errors-for-leak-kinds=definite,indirect", interpreter, file }
    assert.same({ 0, "false\ttook longer than 1ms\n", "" }, { result.code, result.out, result.err })
  end))

  it("is 1 when a task has failed that nobody has asked for, and the rest goes on", luvd.test(function(t)
    local result = run(t, { "-e", [[
      local luvd, task = require "luvd", require "luvd.task"
      task.spawn(error, "lost")
      luvd.sleep "5ms"
      print "goes on" ]] })
    assert.same({ 1, "goes on\n" }, { result.code, result.out })
    assert.matches("^error lua%[%d+%]: lost task=task\n", result.err)
  end))

  it("is 1 at once when a callback of uv fails", luvd.test(function(t)
    local result = run(t, { "-e", [[
      local timer = require "uv".new_timer()
      timer:start(1, 0, function() error "in the callback" end)
      require "luvd".sleep(60) ]] })
    assert.equal(1, result.code)
    assert.matches("in the callback\nstack traceback:", result.err)
  end))

  it("closes what is open: <close> values of the main chunk and of tasks", luvd.test(function(t)
    assert.equal("main\ntask\n", script(t, [[
      task.spawn(function()
        local _ <close> = task.defer(function() print "task" end)
        task.channel():receive()
      end)
      local _ <close> = task.defer(function() print "main" end)
    ]]))
  end))

  for _, case in ipairs {
    { "that computes", "print 'ready' while true do end" },
    { "that waits", "print 'ready' require 'luvd'.sleep(60)" },
    { "whose task computes",
      "require 'luvd.task'.spawn(function() print 'ready' while true do end end) require 'luvd'.sleep(60)" },
    { "that runs the loop", "require 'uv'.new_timer():start(60000, 0, print) print 'ready' require 'uv'.run()" },
    { "that has come to its end", "require 'luvd'.every('1h', print) print 'ready'" },
  } do
    it("comes with an interrupt, of one " .. case[1], luvd.test(function(t)
      local child = t:spawn { interpreter, "-e", "io.stdout:setvbuf 'no' " .. case[2] }
      child:wait_output("out", "ready")
      uv.kill(child.pid, "sigint")
      child:wait()
      assert.equal(1, child.code)
      assert.matches("interrupted!\n", child.err)
    end))
  end

  it("comes when nobody reads its output, and children know no signal of ours", luvd.test(function(t)
    local result = t:command { "/bin/sh", "-c", interpreter .. " -e 'while true do print(1) end' | head -n 1" }
    assert.same({ 0, "1\n", "" }, { result.code, result.out, result.err })
    assert.equal("y\n", output(t, "os.execute 'yes | head -n 1'"))
  end))
end)

describe("luvd-lua", function()
  it("has lua's options", luvd.test(function(t)
    local file = t:file("print(..., arg[0] == nil, arg[1], arg[-1])", "script.lua")
    assert.equal("1\nmath\n", run(t, { "-e", "print(1)", "-l", "m=math", "-e", "print(m == math and 'math')" }).out)
    assert.matches("^Lua 5.4", run(t, { "-v" }).out)
    assert.matches("Lua warning: careful\n", run(t, { "-W", "-e", "warn 'careful'" }).err)
    assert.equal("", run(t, { "-e", "warn 'careful'" }).err)
    assert.equal("a\tfalse\ta\t-\n", run(t, { "-", "a" }, "print(..., arg[0] == nil, arg[1], arg[0])").out)
    assert.equal("a\tfalse\ta\t--\n", run(t, { "--", file, "a" }).out)
    for _, wrong in ipairs { "-h", "-Ex", "-iv", "---", "-e" } do
      local result = run(t, { wrong })
      assert.equal(1, result.code)
      assert.matches("'" .. wrong:gsub("%p", "%%%0") .. "'", result.err)
      assert.matches("usage: ", result.err)
    end
  end))

  it("reads the environment, but for -E", luvd.test(function(t)
    local env = { more_env = { "LUA_INIT=print 'init'", "LUA_PATH=" .. t.folder .. "/?.found" } }
    t:file("return 'found'", "beside.found")
    assert.equal("init\nfound\n", run(t, { "-e", "print((require 'beside'))" }, nil, env).out)
    assert.equal("false\n", run(t, { "-E", "-e", "print((pcall(require, 'beside')))" }, nil, env).out)
  end))

  it("is found by a script that calls its own interpreter", luvd.test(function(t)
    local text = [[
      local lowest = 0
      while arg[lowest - 1] do lowest = lowest - 1 end
      for _, program in ipairs { arg[lowest], require "uv".exepath() } do
        local pipe <close> = io.popen(program .. " -e 'print(1 + 1)'")
        print(pipe:read "a")
      end]]
    local file = t:file(text, "script.lua")
    assert.equal("2\n\n2\n\n", t:command({ interpreter, file }).out)
    assert.equal("2\n\n2\n\n", t:luvd({ "lua", file }).out)
  end))

  it("has all of Lua: C modules, bytecode, files", luvd.test(function(t)
    assert.equal("true\t5\ttrue\n", output(t, [[
      local five = load(string.dump(function() return 5 end))
      print(package.cpath ~= "" and package.loadlib ~= nil, five(), io.open(arg[0]) ~= nil)
    ]]))
  end))

  it("evaluates what a pipe sends at its prompt, as lua -i prints it", luvd.test(function(t)
    local text = "1 + 1\nx = 2\nfor i = 1, 2 do\nprint(i)\nend\nx.y.z = 1\n=x, 'a'\n"
    local ours, plain = run(t, { "-i" }, text), t:spawn { "/usr/bin/lua5.4", "-i" }
    plain:write(text)
    plain:wait()
    assert.equal(plain.out, ours.out)
    assert.matches("stdin:1: attempt to index a number value", ours.err)
  end))

  it("completes, shows values readably and keeps a history at a terminal, while the loop runs", luvd.test(function(t)
    local child = t:spawn({ "/usr/bin/script", "-qec", "exec " .. interpreter, "/dev/null" },
      { more_env = { "HOME=" .. t.folder, "TERM=xterm" } })
    child:wait_output("out", "> ")
    child:write "{ 1, a = 'x' }\n"
    child:wait_output("out", '{ 1, a = "x" }')
    child:write "string.for\t('%d', 5)\n"
    child:wait_output("out", '"5"')
    child:write "for i = 1, 2 do\nprint('line', i) end\n"
    child:wait_output("out", "line\t2")
    child:write "require 'luvd'.every('1ms', function() print 'tick' end)\n"
    child:wait_output("out", "\ntick.*\ntick")
    child:write "print 'spins' while true do end\n"
    child:wait_output("out", "\nspins")
    child:write "\3"
    child:wait_output("out", "interrupted!")
    child:write "os.exit(3)\n"
    child:wait()
    assert.equal(3, child.code)
    assert.matches("string.format", proc.slurp(t.folder .. "/.local/state/luvd/console_history"), 1, true)
  end))

  it("tells its options with luvd lua --help", luvd.test(function(t)
    local result = t:luvd { "lua", "--help" }
    assert.equal(0, result.code)
    assert.matches("^usage: luvd lua ", result.out)
  end))
end)

describe("luvd.script", function()
  it("gives failures of tasks to a function", luvd.test(function(t)
    assert.equal("got script.lua:1: lost\n", (script(t, [[
      local lost = load("error 'lost'", "@script.lua")
      require "luvd.script".on_failure(function(message) print("got " .. message:match "^[^\n]*") end)
      task.spawn(lost)
    ]])))
  end))

  it("ends what takes too long, computing or waiting, in the main flow or in its way", luvd.test(function(t)
    assert.equal(("false\ttook longer than 20ms\n"):rep(4) .. "slept\n", (script(t, [[
      local deadline = require "luvd.script".deadline
      require "luvd.script".on_failure(function() end)
      local function spin() while true do end end
      for _, slow in ipairs {
        spin, function() luvd.sleep(60) end, function() task.all(function() luvd.sleep(60) end) end,
        function() task.spawn(spin) luvd.sleep(60) end,
      } do
        deadline "20ms"
        local ok, message = pcall(slow)
        deadline(nil)
        print(ok, (message:gsub("^[^ ]*: ", "")))
      end
      luvd.sleep "30ms"
      print "slept"
    ]])))
  end))

  it("is not there for a service", luvd.test(function(t)
    local file = t:file(require "support.services".start [[error(select(2, pcall(require, "luvd.script")), 0)]])
    assert.matches('luvd has no module "luvd.script"', t:failed_start(file).err)
  end))
end)
