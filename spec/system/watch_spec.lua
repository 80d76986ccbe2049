-- `luvd run --watch`: what changes is reloaded, what is broken is told, what is mended is taken.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

local service = [[
local net = require "luvd.net"
local service = {}
function service.start(daemon)
  net.serve(daemon.listeners.web, function(conn) conn:write(daemon.config.word .. " of VERSION") end)
end
function service.reload() end
return service
]]

local function code(version)
  return (service:gsub("VERSION", version))
end

-- Written as editors do that rename a new file over the old one.
local function save(t, name, text)
  t:file(text, name)
end

local function daemon_file(t, word, more)
  return t:file(([[
return {
  service = "./service.lua", user = %s,
  listen = { web = "tcp://127.0.0.1:0" }, config = { word = %q },
  %s
}
]]):format(luvd.root and '"root"' or "nil", word, more or ""))
end

---@class watched
local watched = {}
watched.__index = watched

local function spawn(t, file, arguments)
  local child = t:spawn { luvd.binary, "run", "--watch", file, table.unpack(arguments or {}) }
  return setmetatable({ t = t, file = file, child = child, seen = 1 }, watched)
end

-- Waits for the next line with this text, and goes on behind it.
function watched:wait(text, plain)
  local last
  local found = loop.poll(function()
    local _, stop = self.child.err:find(text, self.seen, plain ~= false)
    last = stop
    return stop
  end)
  if not found then error(("%q has not come:\n%s"):format(text, self.child.err), 2) end
  self.seen = last + 1
end

function watched:answer()
  local status = assert(self.t:attach(self.file):status())
  return client.ask(status.listeners[1].address, "")
end

-- A new generation has come, and answers so.
function watched:serves_anew(answer)
  self:wait("generation %d+ in %d+ ms: service\n", false)
  assert.equal(answer, self:answer())
end

-- The service has taken a changed word.
function watched:serves_in_place(answer)
  self:wait("reloaded in %d+ ms: config%.word\n", false)
  assert.equal(answer, self:answer())
end

function watched:stop()
  local result = self.t:luvd { "stop", self.file }
  assert.equal(0, result.code, result.err)
  self.child:wait_exit()
  assert.equal(0, self.child.code, self.child.err)
  self.t:assert_stopped()
end

local function run(t, more, arguments)
  save(t, "service.lua", code "one")
  local w = spawn(t, daemon_file(t, "hello", more), arguments)
  w:wait "ready, pid"
  return w
end

describe("luvd run --watch", function()
  it("takes a changed value in place and tells how long it took", luvd.test(function(t)
    local w = run(t)
    daemon_file(t, "bye")
    w:wait("info  [^\n]+: reloaded in %d+ ms: config%.word\n", false)
    assert.equal("bye of one", w:answer())
    w:stop()
  end))

  it("starts a new generation for changed code", luvd.test(function(t)
    local w = run(t)
    save(t, "service.lua", code "two")
    w:wait("generation 2 in %d+ ms: service\n", false)
    assert.equal("hello of two", w:answer())
    w:stop()
  end))

  it("sees a file that is written in place", luvd.test(function(t)
    local w = run(t)
    tree.write(t.folder .. "/service.lua", code "two")
    w:serves_anew "hello of two"
    w:stop()
  end))

  it("sees a touch, and that nothing has changed", luvd.test(function(t)
    local w = run(t)
    assert(uv.fs_utime(w.file, os.time() - 5, os.time() - 5))
    w:wait("reloaded in %d+ ms: nothing has changed\n", false)
    w:stop()
  end))

  it("reads a burst of saves once or twice, and ends with the last", luvd.test(function(t)
    local w = run(t)
    for version = 2, 40 do save(t, "service.lua", code(tostring(version))) end
    loop.wait_for("the last version", function() return w:answer() == "hello of 40" end)
    w:stop()
    local _, generations = w.child.err:gsub("generation %d+ in", "")
    assert.is_true(generations >= 1 and generations <= 2, w.child.err)
  end))

  it("reads a file that is written all the time", luvd.test(function(t)
    local w = run(t)
    local timer = uv.new_timer()
    timer:start(0, 10, function() uv.fs_utime(t.folder .. "/service.lua", os.time(), os.time()) end)
    w:wait("reloaded in %d+ ms: nothing has changed\n", false)
    w:wait("reloaded in %d+ ms: nothing has changed\n", false)
    timer:close()
    w:stop()
  end))

  it("serves on with the old code while the new is broken, and takes what is mended", luvd.test(function(t)
    local w = run(t)
    save(t, "service.lua", code "two" .. "oops oops\n")
    w:wait "reload refused: "
    w:wait "/service.lua:8: <eof> expected near 'oops'\n"
    assert.equal("hello of one", w:answer())
    save(t, "service.lua", code "three")
    w:serves_anew "hello of three"
    w:stop()
  end))

  it("tells of a refusal in one line of the log, again when the same is saved again", luvd.test(function(t)
    local w = run(t)
    for _ = 1, 2 do
      daemon_file(t, "bye", "umask = 22,")
      w:wait(": reload refused: [^\n]+:4: umask: expected an octal string such as \"027\", got 22\n", false)
    end
    assert.is_nil(w.child.err:find("|", 1, true))
    w:stop()
  end))

  it("tells of a start of the new code that fails, and takes what is mended", luvd.test(function(t)
    local w = run(t)
    save(t, "service.lua", code "two":gsub("net.serve", 'error "not today"; net.serve'))
    w:wait "reload refused: start: "
    w:wait "not today"
    assert.equal("hello of one", w:answer())
    save(t, "service.lua", code "three")
    w:serves_anew "hello of three"
    w:stop()
  end))

  it("watches a module that comes with a reload", luvd.test(function(t)
    local w = run(t)
    assert(uv.fs_mkdir(t.folder .. "/lib", tonumber("755", 8)))
    save(t, "lib/word.lua", 'return "first"')
    save(t, "service.lua", 'local word = require "lib.word"\n' .. code "two":gsub("daemon.config.word", "word"))
    w:serves_anew "first of two"
    save(t, "lib/word.lua", 'return "second"')
    w:serves_anew "second of two"
    w:stop()
  end))

  it("watches a module that is missing, and one that is wrong from the beginning", luvd.test(function(t)
    local w = run(t)
    save(t, "service.lua", 'local word = require "lib.word"\n' .. code "two":gsub("daemon.config.word", "word"))
    w:wait '/service.lua:1: cannot find module "lib.word"'
    assert(uv.fs_mkdir(t.folder .. "/lib", tonumber("755", 8)))
    save(t, "lib/word.lua", "return return")
    w:wait "/lib/word.lua:1: unexpected symbol near 'return'"
    save(t, "lib/word.lua", 'return "now"')
    w:serves_anew "now of two"
    w:stop()
  end))

  it("watches what the daemon file includes", luvd.test(function(t)
    save(t, "service.lua", code "one")
    save(t, "base.lua", 'return { word = "base" }')
    local w = spawn(t, t:file(([[return { service = "./service.lua", user = %s,
      listen = { web = "tcp://127.0.0.1:0" }, config = include "base.lua" }]]):format(luvd.root and '"root"' or "nil")))
    w:wait "ready, pid"
    save(t, "base.lua", 'return { word = "changed" }')
    w:serves_in_place "changed of one"
    w:stop()
  end))

  it("bears a file that is deleted and comes back", luvd.test(function(t)
    local w = run(t)
    assert(uv.fs_unlink(w.file))
    w:wait "cannot open"
    assert.equal("hello of one", client.ask(w.t:attach(w.file):status().listeners[1].address, ""))
    daemon_file(t, "back")
    w:serves_in_place "back of one"
    w:stop()
  end))

  it("follows a link that is moved to another folder", luvd.test(function(t)
    for _, release in ipairs { "one", "two" } do
      assert(uv.fs_mkdir(t.folder .. "/" .. release, tonumber("755", 8)))
      save(t, release .. "/service.lua", code(release))
      os.rename(daemon_file(t, "hello"), ("%s/%s/%s.lua"):format(t.folder, release, t.name))
    end
    assert(uv.fs_symlink("one", t.folder .. "/current"))
    local w = spawn(t, ("%s/current/%s.lua"):format(t.folder, t.name))
    w:wait "ready, pid"
    assert(uv.fs_symlink("two", t.folder .. "/next"))
    assert(uv.fs_rename(t.folder .. "/next", t.folder .. "/current"))
    w:serves_anew "hello of two"
    w:stop()
  end))

  it("takes changed code of an inline service with workers = 0, too", luvd.test(function(t)
    local function inline(word)
      return t:file(([[
return { workers = 0, user = %s, listen = { web = "tcp://127.0.0.1:0" },
  service = { start = function(daemon)
    require "luvd.net".serve(daemon.listeners.web, function(conn) conn:write "%s" end)
  end } }
]]):format(luvd.root and '"root"' or "nil", word))
    end
    local w = spawn(t, inline "one")
    w:wait "ready, pid"
    inline "two"
    w:serves_anew "two"
    w:stop()
  end))

  it("renews several workers", luvd.test(function(t)
    local w = run(t, "workers = 3,")
    save(t, "service.lua", code "two")
    w:wait("generation 2 in", false)
    for _ = 1, 6 do assert.equal("hello of two", w:answer()) end
    w:stop()
  end))

  it("keeps what --set has said", luvd.test(function(t)
    local w = run(t, nil, { "--set", "config.word=set" })
    save(t, "service.lua", code "two")
    w:serves_anew "set of two"
    w:stop()
  end))
end)

describe("a first start under --watch", function()
  local waiting = "waiting for a change of "

  it("waits for a daemon file that is mended, whatever was wrong with it", luvd.test(function(t)
    save(t, "service.lua", code "one")
    local w = spawn(t, daemon_file(t, "hello", "umask = 22,"))
    w:wait("luvd: [^\n]+:4: umask: expected an octal string such as \"027\", got 22\n    4 |   umask = 22,\n" ..
      "      |           ^\n", false)
    w:wait(waiting)
    daemon_file(t, "hello", "umask 22,")
    w:wait("luvd: [^\n]+:4: '}' expected %(to close '{' at line 1%) near '22'\n    4 |   umask 22,\n" ..
      "      |         ^\n", false)
    w:wait(waiting)
    daemon_file(t, "hello")
    w:wait "ready, pid"
    assert.equal("hello of one", w:answer())
    save(t, "service.lua", code "two")
    w:wait("generation 2 in", false)
    w:stop()
  end))

  it("waits for a service whose start raises, and shows the line", luvd.test(function(t)
    save(t, "service.lua", code "one":gsub("net.serve", 'error "not today"; net.serve'))
    local w = spawn(t, daemon_file(t, "hello"))
    w:wait "not today"
    w:wait '    4 |   error "not today"; net.serve'
    w:wait(waiting)
    save(t, "service.lua", code "two")
    w:wait "ready, pid"
    assert.equal("hello of two", w:answer())
    w:stop()
  end))

  it("waits for files that are not there yet", luvd.test(function(t)
    local path = ("%s/%s.lua"):format(t.folder, t.name)
    local w = spawn(t, path)
    w:wait "no such file or directory"
    w:wait(waiting)
    daemon_file(t, "hello")
    w:wait "service.lua': no such file or directory"
    w:wait(waiting)
    save(t, "service.lua", code "one")
    w:wait "ready, pid"
    w:stop()
  end))

  it("leaves nothing behind while it waits, and ends at once when it is told to", luvd.test(function(t)
    save(t, "service.lua", code "one":gsub("net.serve", "error(1); net.serve"))
    local w = spawn(t, daemon_file(t, "hello"))
    w:wait(waiting)
    assert.equal(3, t:luvd({ "status", w.file }).code)
    assert(uv.kill(w.child.pid, "sigterm"))
    w.child:wait_exit()
    assert.equal(1, w.child.code)
    t:assert_nothing_left()
  end))

  it("is not tried again when it was told to stop", luvd.test(function(t)
    save(t, "service.lua", code "one":gsub("net.serve",
      'local luvd = require "luvd"; luvd.log:info "begun"; luvd.sleep "60s"; net.serve'))
    local w = spawn(t, daemon_file(t, "hello"))
    w:wait "begun"
    t:luvd { "stop", w.file }
    w.child:wait_exit()
    assert.equal(1, w.child.code)
    assert.is_nil(w.child.err:find(waiting, 1, true))
    t:assert_nothing_left()
  end))

  it("does not wait for a daemon that runs already", luvd.test(function(t)
    local w = run(t)
    local second = t:luvd { "run", "--watch", w.file }
    assert.equal(3, second.code)
    assert.matches("already running, pid " .. w.t:attach(w.file).pid, second.err, 1, true)
    w:stop()
  end))
end)

describe("the process that was started with --watch", function()
  it("passes signals on, and ends as the daemon ends", luvd.test(function(t)
    local w = run(t)
    assert(uv.kill(w.child.pid, "sighup"))
    w:wait("reloaded in %d+ ms: nothing has changed", false)
    assert(uv.kill(w.child.pid, "sigterm"))
    w.child:wait_exit()
    assert.same({ 0, 0 }, { w.child.code, w.child.signal })
    t:assert_nothing_left()
  end))

  it("lets the service stop in its own time when its whole group is told to", luvd.test(function(t)
    save(t, "service.lua", code "one":gsub("function service.reload", [[
function service.stop() require "luvd".sleep("200ms") end
function service.reload]]))
    local w = spawn(t, daemon_file(t, "hello"))
    w:wait "ready, pid"
    local pid = t:attach(w.file).pid
    assert(uv.kill(pid, "sigterm"))
    w:wait "stopping: SIGTERM"
    assert(uv.kill(w.child.pid, "sigterm"))
    w.child:wait_exit()
    assert.same({ 0, 0 }, { w.child.code, w.child.signal })
    assert.matches("worker 1 %(pid %d+%) exited with code 0", w.child.err)
    t:assert_nothing_left()
  end))

  it("kills it at the second signal", luvd.test(function(t)
    save(t, "service.lua", code "one":gsub("function service.reload", [[
function service.stop() require "luvd".sleep("1h") end
function service.reload]]))
    local w = spawn(t, daemon_file(t, "hello"))
    w:wait "ready, pid"
    assert(uv.kill(w.child.pid, "sigterm"))
    w:wait "stopping: SIGTERM"
    loop.wait_for("its end", function()
      if not w.child.code then uv.kill(w.child.pid, "sigterm") end
      return w.child.code
    end)
    w:wait "was killed by signal 9"
    t:assert_nothing_left()
  end))

  it("exits with the code that the service has asked for", luvd.test(function(t)
    save(t, "service.lua", code "one":gsub("net.serve",
      'require "luvd".every("10ms", function() os.exit(7) end); net.serve'))
    local w = spawn(t, daemon_file(t, "hello"))
    w.child:wait_exit()
    assert.equal(7, w.child.code, w.child.err)
    t:assert_nothing_left()
  end))

  it("takes the daemon along when it is killed", luvd.test(function(t)
    local w = run(t)
    local pid = t:attach(w.file).pid
    assert.not_equal(w.child.pid, pid)
    assert(uv.kill(w.child.pid, "sigkill"))
    proc.wait_end(pid)
    t:assert_nothing_left()
  end))

  it("watches on after an upgrade", luvd.test(function(t)
    local w = run(t)
    local result = t:luvd { "upgrade", w.file }
    assert.equal(0, result.code, result.err)
    assert.is_nil(w.child.err:find("reloaded", 1, true))
    save(t, "service.lua", code "two")
    w:wait("generation %d+ in %d+ ms: service", false)
    assert.equal("hello of two", w:answer())
    w:stop()
  end))

  it("tells verdicts that the log is too quiet for", luvd.test(function(t)
    save(t, "service.lua", code "one")
    local w = spawn(t, daemon_file(t, "hello", 'log = { level = "error" },'))
    loop.wait_for("the daemon", function() return t:luvd({ "status", w.file }).out:find "state +running" end)
    daemon_file(t, "bye", 'log = { level = "error" },')
    w:wait(t.name .. ": reloaded in %d+ ms: config%.word\n", false)
    daemon_file(t, "bye", 'log = { level = "error" }, umask = 22,')
    w:wait(": reload refused: ")
    w:stop()
    local _, refusals = w.child.err:gsub("refused", "")
    assert.equal(1, refusals)
  end))

  it("tells verdicts where it was started when the log is elsewhere", luvd.test(function(t)
    local w = run(t, 'log = "./the.log",')
    daemon_file(t, "bye", 'log = "./the.log",')
    w:wait(t.name .. ": reloaded in %d+ ms: config%.word\n", false)
    daemon_file(t, "bye", 'log = "./the.log", umask = 22,')
    w:wait(("luvd: %s: reload refused: "):format(t.name))
    w:wait '    4 |   log = "./the.log", umask = 22,\n      |                              ^\n'
    w:stop()
    local log = proc.slurp(t.folder .. "/the.log")
    assert.matches("reload refused: [^\n]+ got 22\n%d", log)
  end))
end)
