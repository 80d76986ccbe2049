-- luvd.testing, as the tests of a service use it. This file itself runs under luvd.

local luvd = require "support.luvd"
local pages = require "make.pages"
local proc = require "support.proc"
local specimens = require "support.specimens"
local testing = require "luvd.testing"
local uv = require "luv"

local daemon_file, lines = specimens.file, specimens.lines
local plainly = { user = false, chroot = false }

local function start(changes)
  local all = { user = false, chroot = false }
  for key, value in pairs(changes or {}) do all[key] = value end
  return testing.start(daemon_file(lines), all)
end

describe("testing.start", function()
  it("runs the daemon file on loopback, and says where", function()
    local d <close> = start()
    assert.matches("^tcp://127%.0%.0%.1:[1-9]%d*$", d.address.lines)
    local conn <close> = d:connect()
    conn:write "hello\n"
    assert.equal("> hello", conn:read_line { timeout = "5s" })
    assert.is_true(proc.alive(d.pid))
  end)

  it("takes a few milliseconds", function()
    local times = {}
    for number = 1, 5 do
      local before = uv.hrtime()
      local d <close> = testing.start "examples/hello/hello.lua"
      times[number] = (uv.hrtime() - before) / 1e6
      assert.is_string(d.address.web)
    end
    table.sort(times)
    assert.is_true(times[1] < (luvd.sanitized and 2000 or 200), times[1] .. " ms")
  end)

  it("merges overrides into the daemon file; false removes, lists and {} replace", function()
    local d <close> = start { config = { list = { "x" }, nested = { changed = false, new = {} } } }
    assert.same({ prefix = "> ", list = { "x" }, nested = { kept = true, new = {} } }, d:eval "daemon.config")
  end)

  it("gives values as they are", function()
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local given = { text = table.concat(bytes), quote = "']]\"\\\n--", long = ("x"):rep(5000), float = 0.1,
      whole = 2.0,
      least = math.mininteger, most = math.maxinteger, tiny = 5e-324,
      list = { { a = { 1, { b = "c" } } }, true, false },
      utf = "Zürich", ["a b-c"] = 1, number = "12", hex = "0x10", word = "true", empty = "" }
    local d <close> = start { config = given }
    local found = d:eval "daemon.config"
    for key, value in pairs(given) do
      assert.same(value, found[key], key)
      assert.equal(math.type(value), math.type(found[key]), key)
    end
  end)

  it("refuses overrides that are no data, and names them", function()
    for changes, expected in pairs {
      [{ config = { x = print } }] = "config.x: a function is no data",
      [{ config = { x = 0 / 0 } }] = "nan",
      [{ config = { ["a.b"] = 1 } }] = 'config: the key "a.b"',
      [{ [true] = 1 }] = "a key is a string",
      [7] = "expected a table, got a number",
    } do
      local right, message = pcall(testing.start, daemon_file(lines), changes)
      assert.is_false(right)
      assert.truthy(message:find(expected, 1, true), message)
    end
  end)

  it("raises what a start that fails has said", function()
    local right, message = pcall(start, { umask = 22 })
    assert.is_false(right)
    assert.matches("it.lua does not start %(exit code 2%):\n", message)
    assert.matches('umask: expected an octal string such as "027", got 22', message, 1, true)
    local unlucky = 'return { service = { start = function() error("no luck", 0) end } }'
    right, message = pcall(testing.start, daemon_file(unlucky))
    assert.is_false(right)
    assert.matches("no luck", message)
    right, message = pcall(testing.start, "/nowhere/it.lua")
    assert.is_false(right)
    assert.matches("/nowhere/it.lua", message)
    assert.has_error(function() testing.start() end, "start: expected a path, got a nil")
  end)

  it("takes the user and the root of the daemon file", function()
    if not luvd.root then return pending "needs root" end
    local d <close> = testing.start(daemon_file(lines))
    assert.equal(65534, d:eval "require 'luv'.getuid()")
    local conn = d:connect()
    conn:write "x\n"
    assert.equal("> x", conn:read_line { timeout = "5s" })
  end)

  it("connects by name, to unix sockets and with datagrams", function()
    local d <close> = testing.start(daemon_file [[
      local net = require "luvd.net"
      return { listen = { link = "unix:/run/link", echo = "udp://*:7", name = "unix:@abstract" }, service = {
        start = function(daemon)
          for _, name in ipairs { "link", "name" } do
            net.serve(daemon.listeners[name], function(conn) conn:write(name .. "\n") end)
          end
          net.serve(daemon.listeners.echo, function(socket)
            for bytes, peer in socket:packets() do socket:send(bytes .. "!", peer) end
          end)
        end } }]])
    assert.equal("link", d:connect "link":read_line { timeout = "5s" })
    assert.equal("name", d:connect "name":read_line { timeout = "5s" })
    local socket = d:connect "echo"
    assert.is_true(socket:send "a\0b")
    assert.equal("a\0b!", socket:receive { timeout = "5s" })
    assert.equal(d.address.echo, socket.peer)
    assert.matches("^udp://127%.0%.0%.1:%d+$", socket.local_address)
    assert.equal("ETIMEDOUT", select(3, socket:receive { timeout = "10ms" }))
    socket:close()
    assert.equal("ECLOSED", select(3, socket:send "x"))
    assert.equal("ECLOSED", select(3, socket:receive()))
    assert.has_error(function() d:connect() end, "connect: which listener? there are: echo, link, name")
    assert.error_matches(function() d:connect "web" end, "no listener 'web'; there are: echo, link, name")
  end)

  it("reloads with other overrides, and takes back those that are refused", function()
    local d <close> = start { config = { list = { 4 } } }
    local conn = d:connect()
    assert.is_true(d:reload { config = { prefix = "* " } })
    conn:write "x\n"
    assert.equal("* x", conn:read_line { timeout = "5s" })
    local ok, message = d:reload { config = { prefix = "" } }
    assert.is_nil(ok)
    assert.matches("prefix is empty", message)
    ok, message = d:reload { umask = 5 }
    assert.is_nil(ok)
    assert.matches("expected an octal string", message)
    assert.is_true(d:reload())
    assert.same({ "* ", { 4 } }, { d:eval "daemon.config.prefix, daemon.config.list" })
  end)

  it("reloads a daemon file that has changed", function()
    local tree = testing.tree { ["it.lua"] = lines }
    local d <close> = testing.start(tree.path .. "/it.lua", plainly)
    tree:write("it.lua", (lines:gsub('"> "', '"+ "')))
    assert.is_true(d:reload())
    assert.equal("+ ", d:eval "daemon.config.prefix")
    tree:write("it.lua", "return {")
    assert.is_nil((d:reload()))
  end)

  it("sends signals", function()
    local d <close> = start()
    d:signal "HUP"
    d:wait_log "reload"
    d:signal "sigusr1"
    d:wait_log "USR1"
    assert.error_matches(function() d:signal "FOO" end, 'expected a name such as "HUP", got FOO')
    d:stop()
    assert.error_matches(function() d:signal "HUP" end, "the daemon has ended")
  end)

  it("tells how it ended, again and again", function()
    local d = start()
    local conn = d:connect()
    local result = d:stop()
    assert.equal(0, result.code)
    assert.is_nil(result.signal)
    assert.matches("ready, pid", result.log)
    assert.equal(result, d:stop())
    assert.equal(result.log, d.log)
    assert.is_nil((conn:read_line { timeout = "5s" }))
    assert.is_false(proc.alive(d.pid))
    local killed = start()
    killed:signal "KILL"
    assert.equal("SIGKILL", killed:stop().signal)
  end)

  it("ends though a connection to it was lost", function()
    local d = start()
    for _ = 1, 20 do
      d:connect()
      collectgarbage "step"
    end
    collectgarbage()
    assert.equal(0, d:stop().code)
  end)

  it("removes its folder at the end", function()
    local d = start()
    assert.equal("directory", uv.fs_stat(d.folder).type)
    do local _ <close> = d end
    assert.is_nil((uv.fs_stat(d.folder)))
    assert.is_false(proc.alive(d.pid))
  end)
end)

describe("wait_log of a daemon", function()
  local d, conn
  before_each(function()
    d = start()
    conn = d:connect()
  end)

  it("goes on behind the last match, and gives captures", function()
    conn:write "one\ntwo\none\n"
    assert.equal("one", d:wait_log "line=(%w+)")
    assert.same({ "heard", "two" }, { d:wait_log "(heard).*line=(two)" })
    assert.equal("line=one", d:wait_log "line=one")
    assert.error_matches(function() d:wait_log("line=one", "20ms") end, "no such line within 20ms; the log:\n.*heard")
  end)

  it("waits for a line that comes later", function()
    require "luvd.task".spawn(function()
      require "luvd".sleep "20ms"
      conn:write "later\n"
    end)
    assert.equal("later", d:wait_log("line=(later)"))
  end)

  it("does not skip what it has not matched", function()
    conn:write "one\n"
    assert.has_error(function() d:wait_log("nothing", "20ms") end)
    assert.equal("one", d:wait_log "line=(one)")
  end)

  it("says at once that the daemon has ended", function()
    d:stop()
    assert.error_matches(function() d:wait_log "never" end, "the daemon has ended")
  end)
end)

describe("eval of a daemon", function()
  local d
  setup(function() d = start() end)

  it("gives data of every kind", function()
    assert.same({ n = 0 }, table.pack(d:eval "local nothing"))
    assert.same({ nil, true, 1, 1.5, "a\0\n\255", n = 5 }, table.pack(d:eval [[nil, true, 1, 1.5, "a\0\n\255"]]))
    assert.same({ 1, { x = { "y" } }, [1.5] = false }, d:eval "{ 1, { x = { 'y' } }, [1.5] = false }")
    assert.equal("float", math.type(d:eval "2.0"))
    assert.equal("integer", math.type(d:eval "2"))
    assert.equal(math.huge, d:eval "math.huge")
    assert.equal("lines", d:eval "daemon.name")
    assert.equal(3, d:eval "local x = 1; x = x + 2; return x")
  end)

  it("waits in the daemon", function()
    assert.equal("ok", d:eval "require 'luvd'.sleep('5ms') return 'ok'")
  end)

  it("raises errors with their message", function()
    assert.has_error(function() d:eval "error('as said', 0)" end, "as said")
    assert.matches(": eval:1: placed$", select(2, pcall(d.eval, d, "error 'placed'")))
    assert.matches(": eval:1: unexpected symbol near '='$", select(2, pcall(d.eval, d, "x = = 1")))
    assert.has_error(function() d:eval "print" end, "a function is no data")
    assert.has_error(function() d:eval "local t = {} t.t = t return t" end, "a table that contains itself is no data")
    assert.error_matches(function() d:eval "('x'):rep(1000000)" end, "too long")
    assert.error_matches(function() d:eval(("x"):rep(9000)) end, "more than 8000 bytes")
    assert.error_matches(function() d:eval(7) end, "expected a text, got a number")
  end)

  it("keeps what the text prints in the log", function()
    assert.equal(1, d:eval "print('printed') return 1")
    assert.equal("printed", d:wait_log "^printed$")
  end)
end)

describe("leaks of a daemon", function()
  it("tells connections, tasks and descriptors that stay", function()
    local d <close> = start()
    assert.same({}, d:leaks())
    local conn = d:connect()
    conn:write "x\n"
    conn:read_line()
    local list = table.concat(d:leaks(), ", ")
    assert.matches("1 connection of lines", list)
    assert.matches("1 task", list)
    conn:close()
    assert.same({}, d:leaks())
    if not luvd.root then return end -- an ordinary user does not see what a process has open that cannot be dumped
    d:eval "_G.kept = require 'luv'.fs_open('/etc/passwd', 'r', 0) return true"
    assert.same({ "1 descriptor of /etc/passwd" }, d:leaks())
  end)
end)

describe("testing.check and testing.plan", function()
  it("say what is wrong, all of it with its place", function()
    assert.is_true(testing.check "examples/chat/chat.lua")
    local file = daemon_file "return {\n umask = 22,\n nmae = 'x',\n service = { start = function() end } }"
    local ok, errors = testing.check(file)
    assert.is_nil(ok)
    assert.equal(2, #errors)
    assert.matches("it.lua:2: umask: ", errors[1])
    assert.matches("it.lua:3: nmae: .*name", errors[2])
    assert.is_true(testing.check(file, { umask = false, nmae = false }))
  end)

  it("tell the steps of a start", function()
    local plan = testing.plan("examples/chat/chat.lua", { as = "root", overrides = { name = "other" } })
    local found = {}
    for _, step in ipairs(plan.steps) do found[step.step] = step.does end
    assert.equal("other", plan.name)
    assert.matches("tcp://0.0.0.0:6000", found.listen)
    assert.matches("uid", found.identity)
    assert.matches("it.lua:1: ", select(2, pcall(testing.plan, daemon_file "return {")))
    assert.error_matches(function() testing.plan("x", { roots = true }) end, "unknown option 'roots'")
  end)
end)

describe("testing.tree", function()
  it("makes files and folders, and removes them", function()
    local tree = testing.tree { a = "1", sub = { b = "2", deep = {} } }
    assert.same({ "a", "sub/" }, tree:names())
    assert.same({ "b", "deep/" }, tree:names "sub")
    assert.equal("2", tree:read "sub/b")
    assert.equal(tree.path .. "/new/c", tree:write("new/c", "\0\1"))
    assert.equal("\0\1", tree:read "new/c")
    assert.same({ nil, "ENOENT" }, { (tree:read "x"), (select(3, tree:read "x")) })
    tree:age("a", "8d")
    assert.is_true(math.abs(os.time() - 8 * 86400 - uv.fs_stat(tree.path .. "/a").mtime.sec) < 5)
    assert.error_matches(function() tree:write("../x", "") end, "not below the folder")
    assert.error_matches(function() testing.tree { a = 1 } end, "expected a text or a table")
    tree:close()
    assert.is_nil((uv.fs_stat(tree.path)))
    tree:close()
  end)
end)

describe("testing.eventually", function()
  it("calls until something is true, and gives that", function()
    local count = 0
    assert.equal(3, testing.eventually(function()
      count = count + 1
      assert(count > 1, "not yet")
      return count > 2 and count
    end))
    assert.error_matches(function() testing.eventually(function() return nil end, "10ms") end,
      "it is still nil after 10ms")
    assert.has_error(function() testing.eventually(function() error("the last", 0) end, 0.01) end, "the last")
  end)
end)

describe("wrong use of luvd.testing", function()
  it("says what was expected, and what came", function()
    for message, call in pairs {
      ["eventually: expected a function, got a number"] = function() testing.eventually(5) end,
      ["plan: expected a table of options, got a number"] = function() testing.plan("examples/chat/chat.lua", 5) end,
      ["check: expected a path, got a nil"] = function() testing.check() end,
      ["overrides: expected keys of the daemon file, got a list"] = function()
        testing.start("examples/chat/chat.lua", { 5 })
      end,
      ["overrides: expected a table, got a string"] = function()
        testing.simulate("examples/chat/chat.lua", "user=")
      end,
    } do
      local ok, problem = pcall(call)
      assert.is_false(ok)
      assert.matches("^spec/system/testing_spec%.lua:%d+: " .. message .. "$", problem)
    end
  end)
end)

describe("lua/luvd/types/testing.lua", function()
  local function declared(name)
    for _, item in ipairs(pages.declared().items) do
      if item.kind == "class" and item.name == name then return item end
    end
  end

  local function names_of(class, own)
    local names = {}
    for _, list in ipairs { class.functions, own and class.fields or {} } do
      for _, one in ipairs(list) do
        local optional = one.optional or one.type and one.type.optional -- of a simulation alone
        if not optional then names[one.name] = true end
      end
    end
    return names
  end

  local function names_in(list)
    local names = {}
    for name in pairs(list) do
      if not tostring(name):find "^__" then names[name] = true end
    end
    return names
  end

  it("declares what there is, and nothing else", function()
    assert.same(names_of(declared "luvd.testing"), names_in(testing))
    local d <close> = start()
    for name in pairs(names_of(declared "luvd.testing.Daemon", true)) do assert.is_not_nil(d[name], name) end
    local tree = testing.tree {}
    for name in pairs(names_of(declared "luvd.testing.Tree", true)) do assert.is_not_nil(tree[name], name) end
    local result = d:stop()
    assert.same({ code = true, log = true }, names_in(result))
  end)
end)
