-- Those who start daemons, and what they are told.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

local function free_port()
  local socket = uv.new_tcp()
  socket:bind("127.0.0.1", 0)
  local port = math.tointeger(socket:getsockname().port)
  socket:close()
  uv.run "nowait"
  return port
end

local function ear(t)
  local path = t.folder .. "/notify"
  local child = t:spawn({ luvd.helpers .. "/datagrams", path })
  child:wait_output("out", "listening")
  t:finally(function() child:close_stdin(); child:wait() end)
  return child, { more_env = { "NOTIFY_SOCKET=" .. path } }
end

describe("NOTIFY_SOCKET", function()
  it("hears READY of run, RELOADING with the time, STOPPING and STATUS", luvd.test(function(t)
    local heard, options = ear(t)
    local d = t:run(t:file(services.start([[luvd.status "serving"]], "", "reload = function() end,")), {}, options)
    heard:wait_output("out", "READY=1")
    heard:wait_output("out", "STATUS=serving")
    d:reload()
    heard:wait_output("out", "RELOADING=1[^\n]*MONOTONIC_USEC=%d+")
    local reloading = heard.out:find "RELOADING=1"
    loop.wait_for("READY after RELOADING", function() return heard.out:find("READY=1", reloading, true) end)
    d:signal "sigterm"
    heard:wait_output("out", "STOPPING=1")
    d.child:wait()
  end))

  it("hears MAINPID and READY before start returns", luvd.test(function(t)
    local heard, options = ear(t)
    local d = t:start(t:file(services.echo()), {}, options)
    heard:wait_output("out", "READY=1")
    assert.matches("MAINPID=" .. d.pid, heard.out)
    d:stop()
    heard:wait_output("out", "STOPPING=1")
  end))

  it("still hears a daemon in an empty root", luvd.root_test(function(t)
    local heard, options = ear(t)
    local d = t:start(t:file(services.echo [[user = "nobody", chroot = "auto",]]), {}, options)
    d:stop()
    heard:wait_output("out", "STOPPING=1")
  end))

  it("hears WATCHDOG when asked for", luvd.test(function(t)
    local heard, options = ear(t)
    table.insert(options.more_env, "WATCHDOG_USEC=200000")
    local d = t:run(t:file(services.echo()), {}, options)
    heard:wait_output("out", "WATCHDOG=1")
    d:signal "sigterm"
    d.child:wait()
  end))

  it("that nobody listens to is a warning", luvd.test(function(t)
    local d = t:start(t:file(services.echo()), {}, { more_env = { "NOTIFY_SOCKET=/nonexistent/notify" } })
    assert.matches("/nonexistent/notify", d.child.err, 1, true)
    d:stop()
  end))

  it("is not seen by the service", luvd.test(function(t)
    local _, options = ear(t)
    local d = t:start(t:file(services.eval [[environment = { keep = { "NOTIFY_SOCKET" } },]]), {}, options)
    assert.equal("nil\n", client.ask(d:address(), "os.getenv 'NOTIFY_SOCKET'\n"))
    d:stop()
  end))
end)

describe("the s6 descriptor", function()
  it("gets a newline when the daemon is ready, and is closed", luvd.test(function(t)
    local said, ended = "", false
    local fds = uv.socketpair("stream", nil, { nonblock = true }, {})
    local mine = uv.new_pipe(false)
    mine:open(fds[1])
    mine:read_start(function(_, bytes)
      if bytes then said = said .. bytes else ended = true end
    end)
    local child = t:spawn({ luvd.binary, "run", t:file(services.echo()), "--notify-fd", "3" },
      { descriptors = { [3] = math.tointeger(fds[2]) } })
    t:command { "/bin/true" }
    require("luv").fs_close(fds[2])
    loop.wait_for("a newline and the end", function() return said == "\n" and ended end)
    mine:close()
    child:kill "sigterm"
    child:wait()
    assert.equal(0, child.code)
  end))
end)

describe("systemd-socket-activate", function()
  local activate = "/usr/bin/systemd-socket-activate"

  local function activated(t, listen, more, address, keys)
    local file = t:file(services.echo_at(listen, "-- activated\n" .. (keys or "")))
    local arguments = { activate, "-l", address, table.unpack(more) }
    for _, word in ipairs { luvd.binary, "run", file } do table.insert(arguments, word) end
    local child = t:spawn(arguments)
    child:wait_output("err", "Listening on")
    return child, file
  end

  it("passes a socket that is taken by its address", luvd.test(function(t)
    local port = free_port()
    local child = activated(t, "tcp://127.0.0.1:" .. port, {}, "127.0.0.1:" .. port)
    assert.equal("x\n", client.ask("tcp://127.0.0.1:" .. port, "x\n"))
    child:kill "sigterm"
    child:wait()
    assert.equal(0, child.code)
  end))

  it("passes a socket that is taken by its name", luvd.test(function(t)
    local port = free_port()
    local child = activated(t, "tcp://127.0.0.1:1", { "--fdname=web" }, "127.0.0.1:" .. port)
    assert.equal("x\n", client.ask("tcp://127.0.0.1:" .. port, "x\n"))
    child:kill "sigterm"
    child:wait()
    assert.equal(0, child.code)
  end))

  it("passes one socket for an entry of two addresses to workers, and a reload keeps it", luvd.test(function(t)
    local port = free_port()
    local child, file = activated(t, "tcp://*:1", { "--fdname=web" }, "127.0.0.1:" .. port,
      "workers = 2, chdir = '/',")
    assert.equal("x\n", client.ask("tcp://127.0.0.1:" .. port, "x\n"))
    t:file(services.echo_at("tcp://*:2", "-- activated\nworkers = 2, chdir = '/tmp',"))
    local verdict = t:luvd { "reload", file }
    assert.same({ 0, "" }, { verdict.code, verdict.err })
    assert.equal("x\n", client.ask("tcp://127.0.0.1:" .. port, "x\n"))
    child:kill "sigterm"
    child:wait()
    assert.equal(0, child.code)
  end))

  it("passes a unix socket, whose file stays when the daemon ends", luvd.test(function(t)
    local path = t.folder .. "/socket"
    local child = activated(t, "unix:" .. path, {}, path)
    assert.equal("x\n", client.ask("unix:" .. path, "x\n"))
    child:kill "sigterm"
    child:wait()
    assert.is_not_nil(uv.fs_stat(path))
  end))

  it("passes a socket that no listen entry claims: a named error", luvd.test(function(t)
    local port = free_port()
    local child = activated(t, "tcp://127.0.0.1:0", { "--fdname=other" }, "127.0.0.1:" .. port)
    local conn = client.connect("tcp://127.0.0.1:" .. port)
    child:wait()
    conn:close()
    assert.equal(1, child.code)
    assert.matches("other", child.err)
  end))
end)

describe("LISTEN_FDS of somebody else", function()
  it("is not ours, and its descriptors are closed", luvd.test(function(t)
    local d = t:start(t:file(services.echo()), {}, { more_env = { "LISTEN_FDS=1", "LISTEN_PID=1" } })
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    d:stop()
  end))
end)

describe("start-stop-daemon", function()
  local tool = "/sbin/start-stop-daemon"

  it("starts, finds and stops a daemon by its pidfile", luvd.root_test(function(t)
    local pidfile = ("/run/%s.pid"):format(t.name)
    local file = t:file(services.echo [[user = "nobody",]])
    local function call(...)
      return t:command({ tool, "--quiet", "--pidfile", pidfile, ... })
    end
    assert.equal(3, call("--status").code)
    local started = call("--start", "--startas", luvd.binary, "--", "start", file)
    assert.same({ 0, "" }, { started.code, started.err })
    assert.equal(0, call("--status").code)
    assert.equal(1, call("--start", "--startas", luvd.binary, "--", "start", file).code)
    assert.equal(0, call("--stop", "--retry", "10").code)
    assert.not_equal(0, call("--status").code)
    assert.equal(3, t:luvd({ "start", "--if-stopped", "/nonexistent.lua" }).code == 2 and 3)
  end))

  it("waits with --notify-await until run is ready", luvd.root_test(function(t)
    local pidfile = ("/run/%s.pid"):format(t.name)
    local file = t:file(services.start([[luvd.sleep "200ms"; daemon.log:info "ready soon"]],
      ("log = %q,"):format(t.folder .. "/the.log")))
    local started = t:command({ tool, "--start", "--quiet", "--background", "--notify-await", "--notify-timeout", "20",
      "--pidfile", pidfile, "--startas", luvd.binary, "--", "run", file })
    assert.same({ 0, "" }, { started.code, started.err })
    assert.matches("ready soon", proc.slurp(t.folder .. "/the.log"))
    assert.equal(0, t:luvd({ "status", file }).code)
    assert.equal(0, t:command({ tool, "--stop", "--quiet", "--retry", "10", "--pidfile", pidfile }).code)
    t:assert_nothing_left()
  end))
end)

describe("nc and curl", function()
  it("nc gets its lines back", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    local port = d:address():match "(%d+)$"
    assert.equal("one\ntwo\n", t:command({ "/bin/sh", "-c",
      "printf 'one\\ntwo\\n' | nc -N 127.0.0.1 " .. port }).out)
    d:stop()
  end))

  it("curl gets a reply of the hello example", luvd.test(function(t)
    local d = t:start(t:example "hello", { "--set", "listen.web=tcp://127.0.0.1:0" })
    local url = d:address():gsub("^tcp", "http") .. "/"
    local reply = t:command { "/usr/bin/curl", "-sS", "-i", url }
    assert.equal(0, reply.code)
    assert.matches("^HTTP/1.[01] 200", reply.out)
    assert.matches("[Hh]ello", reply.out)
    d:stop()
  end))
end)

describe("a unix socket", function()
  it("is made with the mode that is asked, and removed at the end", luvd.test(function(t)
    local path = t.folder .. "/socket"
    local d = t:start(t:file(services.echo_at("unix:" .. path)))
    assert.equal(tonumber("666", 8), uv.fs_stat(path).mode & 4095)
    assert.equal("x\n", client.ask("unix:" .. path, "x\n"))
    d:stop()
    assert.is_nil(uv.fs_stat(path))
  end))

  it("that nobody listens on is replaced, a living one is not", luvd.test(function(t)
    local path = t.folder .. "/socket"
    t:command { "/bin/sh", "-c", ("nc -lU %s & pid=$!; while ! test -S %s; do :; done; kill $pid"):format(path, path) }
    assert.is_not_nil(uv.fs_lstat(path))
    local file = t:file(services.echo_at("unix:" .. path))
    t:start(file):stop()
    local other = uv.new_pipe(false)
    other:bind(path)
    other:listen(1, function() end)
    local result = t:failed_start(file)
    assert.equal(1, result.code)
    assert.matches("address already in use", result.err)
    other:close()
  end))
end)
