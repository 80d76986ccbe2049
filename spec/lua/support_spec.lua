-- The test library tested: what it cannot see, no other spec can.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local process = require "support.process"
local tree = require "support.tree"
local uv = require "luv"

describe("the support library", function()
  it("collects output, error output and exit code of a program", function()
    local child = process.run { "/bin/sh", "-c", "echo one; echo two >&2; exit 7" }
    assert.same({ "one\n", "two\n", 7 }, { child.out, child.err, child.code })
    assert.same({}, process.finish())
  end)

  it("tells the signal that ended a program", function()
    local child = process.run { "/bin/sh", "-c", "kill -9 $$" }
    assert.equal(9, child.signal)
    process.finish()
  end)

  it("names a program that is still running, and ends it", function()
    local child = process.spawn { "/bin/sleep", "1000" }
    local left = process.finish()
    assert.equal(1, #left)
    assert.matches("^/bin/sleep 1000", left[1])
    assert.is_false(proc.alive(child.pid))
  end)

  it("waits no longer than told", function()
    local before = loop.now()
    local ok, message = pcall(loop.wait_for, "nothing", function() return false end, 50)
    assert.is_false(ok)
    assert.matches("in vain for nothing", message)
    assert.is_true(loop.now() - before < 5000)
    loop.drain()
  end)

  it("passes on an error of a condition", function()
    local ok, message = pcall(loop.wait_for, "x", function() error("broken", 0) end)
    assert.same({ false, "broken" }, { ok, message })
    loop.drain()
  end)

  it("asks over tcp and over unix sockets", luvd.test(function(t)
    local tcp, pipe = uv.new_tcp(), uv.new_pipe(false)
    tcp:bind("127.0.0.1", 0)
    pipe:bind(t.folder .. "/socket")
    for _, server in ipairs { tcp, pipe } do
      server:listen(8, function()
        local peer = server == tcp and uv.new_tcp() or uv.new_pipe(false)
        server:accept(peer)
        peer:read_start(function(_, bytes)
          if bytes then peer:write(bytes:upper()) else peer:close() end
        end)
      end)
    end
    local port = math.tointeger(tcp:getsockname().port)
    assert.equal("HELLO", client.ask("tcp://127.0.0.1:" .. port, "hello"))
    assert.equal("HELLO", client.ask("unix:" .. t.folder .. "/socket", "hello"))
    local conn = client.connect("tcp://127.0.0.1:" .. port)
    assert.equal("LINE", conn:write("line\n"):read_line())
    conn:close()
  end))

  it("tells why a connection is refused", luvd.test(function(t)
    assert.same({ nil, "ENOENT" }, { client.connect("unix:" .. t.folder .. "/none") })
  end))

  it("fails a test that leaves a program running", function()
    local ok, message = pcall(luvd.test(function(t) t:spawn { "/bin/sleep", "1000" } end))
    assert.is_false(ok)
    assert.matches("left running: /bin/sleep 1000", message)
  end)

  it("passes on the failure of a test, and cleans up all the same", function()
    local folder
    local ok, failure = pcall(luvd.test(function(t)
      folder = t.folder
      t:file("x", "y")
      assert.equal(1, 2)
    end))
    assert.is_false(ok)
    assert.is_not_nil(failure)
    assert.is_false(tree.exists(folder))
  end)

  it("reads ids, signals, limits and descriptors of a process", function()
    local child = process.spawn { "/bin/sh", "-c", "trap '' USR1; ulimit -n 77; echo ready; read x" }
    child:wait_output("out", "ready")
    local status = proc.status(child.pid)
    assert.equal(tostring(math.tointeger(uv.getuid())), status.Uid[1])
    assert.same({ 10 }, proc.signals(status, "SigIgn"))
    assert.equal("77", proc.limit(child.pid, "Max open files"))
    assert.is_not_nil(proc.descriptors(child.pid)[0])
    assert.same(process.environment, proc.environment(child.pid))
    child:close_stdin()
    child:wait()
    process.finish()
  end)
end)

describe("the hostile launcher", function()
  local hostile = luvd.helpers .. "/hostile"

  it("leaves all its traces to a careless program", luvd.root_test(function(t)
    local secret = t:file("secret", "secret")
    local child = t:spawn { hostile, "-s", secret, "/bin/sh", "-c", "echo ready; read x" }
    child:wait_output("out", "ready")
    local status, fds = proc.status(child.pid), proc.descriptors(child.pid)
    assert.same({ "4", "24", "46" }, status.Groups)
    assert.same({ secret, secret, secret }, { fds[7], fds[50], fds[1500] })
    assert.equal("0000", status.Umask[1])
    assert.same({ 1, 10, 12, 14, 15, 17, 34, 40, 64 }, proc.signals(status, "SigBlk"))
    assert.truthy(table.concat(proc.environment(child.pid), "\n"):find("SECRET=hunter2", 1, true))
    child:close_stdin()
    child:wait()
  end))
end)

describe("the datagram listener", function()
  it("prints what comes, a line each", luvd.test(function(t)
    local path = t.folder .. "/notify"
    local ear = t:spawn { luvd.helpers .. "/datagrams", path }
    ear:wait_output("out", "listening")
    t:command({ "/bin/sh", "-c", "printf 'READY=1\\nMAINPID=5\\n' | nc -uU -w1 " .. path })
    ear:wait_output("out", "READY=1 | MAINPID=5\n")
    ear:close_stdin()
    ear:wait()
  end))
end)
