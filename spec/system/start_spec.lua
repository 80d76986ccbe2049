local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local loop = require "support.loop"
local tree = require "support.tree"
local uv = require "luv"

luvd.classic()

local function ask(d, text)
  return client.ask(d:address(), text .. "\n")
end

describe("luvd start", function()
  it("says in one line who runs where, and the daemon answers", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    assert.matches("^[^\n]+\n$", d.child.out)
    assert.matches(t.name, d.child.out, 1, true)
    assert.matches("pid " .. d.pid, d.child.out, 1, true)
    assert.matches(d:address(), d.child.out, 1, true)
    assert.matches(d:log_path(), d.child.out, 1, true)
    assert.equal("hello\n", ask(d, "hello"))
    d:stop()
  end))

  it("leaves a process without terminal, session or parent of the launcher", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo()))
    local stat = proc.slurp(("/proc/%d/stat"):format(d.pid)):match "%) (.*)"
    local _, _, group, session, terminal = stat:match "(%S+) (%S+) (%S+) (%S+) (%S+)"
    assert.equal("0", terminal)
    assert.equal(group, session)
    assert.not_equal(tostring(d.pid), session)
    assert.equal("/", uv.fs_readlink(("/proc/%d/cwd"):format(d.pid)))
    d:stop()
  end))

  it("is already running the second time: exit 3 and the pid", luvd.test(function(t)
    local file = t:file(services.echo())
    local d = t:start(file)
    local second = t:luvd { "start", file }
    assert.equal(3, second.code)
    assert.equal(("luvd: %s: already running, pid %d\n"):format(t.name, d.pid), second.err)
    assert.equal(0, t:luvd({ "start", file, "--if-stopped" }).code)
    assert.equal("still\n", ask(d, "still"))
    d:stop()
  end))

  it("lets exactly one of a hundred simultaneous starts win", luvd.test(function(t)
    local file, starts = t:file(services.echo()), {}
    for i = 1, 100 do starts[i] = t:spawn { luvd.binary, "start", file } end
    local won, lost, said = 0, 0, {}
    for _, child in ipairs(starts) do
      child:wait(60000)
      if child.code == 0 then won = won + 1 end
      if child.code == 3 then lost = lost + 1 end
      if child.code ~= 0 then said[child.err] = true end
    end
    assert.same({ 1, 99 }, { won, lost })
    local status = loop.wait_for("a status", function()
      return luvd.json.decode(t:luvd({ "status", file, "--json" }).out)
    end)
    assert.same({ [("luvd: %s: already running, pid %d\n"):format(t.name, status.pid)] = true }, said)
    assert.equal(0, t:luvd({ "stop", file }).code)
  end))

  it("starts again after a stop, on the same files", luvd.test(function(t)
    local file = t:file(services.echo())
    for _ = 1, 3 do t:start(file):stop() end
  end))

  it("leaves no pidfile, record or control socket after a stop", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    d:stop()
    t:assert_nothing_left()
  end))
end)

describe("the pidfile", function()
  local function pidfile(t)
    return (t.runtime or "/run") .. "/" .. t.name .. ".pid"
  end

  it("holds the pid and a newline, readable by all", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    assert.equal(d.pid .. "\n", proc.slurp(pidfile(t)))
    assert.equal(tonumber("644", 8), uv.fs_stat(pidfile(t)).mode & 4095)
    d:stop()
    assert.is_false(tree.exists(pidfile(t)))
  end))

  it("is refused when a link stands in its place, and the target is untouched", luvd.test(function(t)
    local victim = t:file("precious", "victim")
    assert(uv.fs_symlink(victim, pidfile(t)))
    local result = t:failed_start(t:file(services.echo()))
    assert.equal(1, result.code)
    assert.matches("pidfile", result.err)
    assert.matches(pidfile(t), result.err, 1, true)
    assert.equal("precious", proc.slurp(victim))
    assert.equal("link", uv.fs_lstat(pidfile(t)).type)
  end))

  for what, text in pairs {
    ["a stale pid"] = "999999\n",
    ["the pid of somebody else"] = "1\n",
    garbage = "\0\255no number at all" .. ("x"):rep(5000),
    nothing = "",
  } do
    it("is replaced when it holds " .. what, luvd.test(function(t)
      tree.write(pidfile(t), text)
      if t.uid then uv.fs_chown(pidfile(t), t.uid, t.gid) end
      local d = t:start(t:file(services.echo()))
      assert.equal(d.pid .. "\n", proc.slurp(pidfile(t)))
      d:stop()
    end))
  end

  it("stays when it has become another file", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    uv.fs_unlink(pidfile(t))
    tree.write(pidfile(t), "somebody else's\n")
    d:stop()
    assert.equal("somebody else's\n", proc.slurp(pidfile(t)))
    uv.fs_unlink(pidfile(t))
  end))

  it("cannot be held against us by a lock on it", luvd.test(function(t)
    local path = t.folder .. "/own.pid"
    local d = t:start(t:file(services.echo(("pidfile = %q,"):format(path))))
    local other = t:command { "/usr/bin/flock", "-n", path, "true" }
    assert.equal(1, other.code)
    d:stop()
    assert.is_false(tree.exists(path))
  end))

  it("is not made when the daemon file says false", luvd.test(function(t)
    local d = t:start(t:file(services.echo "pidfile = false,"))
    assert.is_false(tree.exists(pidfile(t)))
    d:stop()
  end))
end)

describe("a start that cannot be", function()
  it("names a taken port, its line, and how to take another", luvd.test(function(t)
    local taken = uv.new_tcp()
    taken:bind("127.0.0.1", 0)
    taken:listen(1, function() end)
    local address = ("tcp://127.0.0.1:%d"):format(taken:getsockname().port)
    local result = t:failed_start(t:file(services.echo_at(address)))
    taken:close()
    assert.equal(1, result.code)
    assert.matches(t.name .. ".lua:4: listen.web: cannot bind " .. address, result.err, 1, true)
    assert.matches("address already in use", result.err)
    assert.matches("--set listen.web=", result.err, 1, true)
  end))

  it("names a chroot that is not there", luvd.root_test(function(t)
    local result = t:failed_start(t:file(services.echo [[user = "nobody", chroot = "/nonexistent/root",]]))
    assert.equal(1, result.code)
    assert.matches("chroot", result.err)
    assert.matches("/nonexistent/root", result.err, 1, true)
    assert.matches("no such file or directory", result.err)
  end))

  it("names a user that is not there", luvd.root_test(function(t)
    local result = t:failed_start(t:file(services.echo [[user = "no-such-user",]]))
    assert.equal(1, result.code)
    assert.matches(t.name .. "%.lua:5: user: ", result.err)
    assert.matches("no-such-user", result.err, 1, true)
  end))

  it("names a limit that cannot be granted, asked and allowed", luvd.root_test(function(t)
    local result = t:failed_start(t:file(services.echo "limits = { nofile = 123456789 },"))
    assert.equal(1, result.code)
    assert.matches("limits.nofile", result.err, 1, true)
    assert.matches("123456789", result.err, 1, true)
  end))

  it("names the error of the service's start, with traceback", luvd.test(function(t)
    local result = t:failed_start(t:file(services.start [[error "the well is dry"]]))
    assert.equal(1, result.code)
    assert.matches("the well is dry", result.err, 1, true)
    assert.matches(t.name .. ".lua:7", result.err, 1, true)
    assert.matches("traceback", result.err)
  end))

  it("gives the message of a start that returns nil", luvd.test(function(t)
    local result = t:failed_start(t:file(services.start [[do return nil, "no licence" end]]))
    assert.equal(1, result.code)
    assert.matches("no licence", result.err, 1, true)
  end))

  for _, code in ipairs { 0, 7 } do
    it(("fails when the service calls os.exit(%d) in start"):format(code), luvd.test(function(t)
      local result = t:failed_start(t:file(services.start(("os.exit(%d)"):format(code))))
      assert.equal(1, result.code)
      assert.matches(("start: the service called os.exit(%d)"):format(code), result.err, 1, true)
    end))
  end

  it("is over when start outlasts timeouts.start", luvd.test(function(t)
    local file = t:file(services.start([[luvd.sleep "1h"]], [[timeouts = { start = "300ms" },]]))
    local result = t:failed_start(file)
    assert.equal(1, result.code)
    assert.matches("300ms", result.err, 1, true)
  end))

  it("is over when start spins longer than timeouts.start", luvd.test(function(t)
    local file = t:file(services.start("while true do end", [[timeouts = { start = "300ms" },]]))
    assert.equal(1, t:failed_start(file).code)
  end))

  it("is told with the signal that killed the daemon", luvd.test(function(t)
    local file = t:file(services.start [[require("luv").kill(require("luv").os_getpid(), 11)]])
    local result = t:failed_start(file)
    assert.equal(1, result.code)
    assert.matches("signal 11", result.err, 1, true)
  end))

  it("keeps nothing that an earlier try has left: the next one succeeds", luvd.test(function(t)
    local file = t:file(services.start [[error "not yet"]])
    t:failed_start(file)
    t:file(services.echo())
    t:start(file):stop()
  end))
end)

describe("a start that is interrupted", function()
  -- Starts a daemon whose service waits in start, and returns the launcher and the daemon's pid: root's business, since
  -- the daemon hides from others which program it runs.
  local function hanging(t, start)
    local file = t:file(services.start(([[daemon.log:info "in start"; %s]]):format(start or [[luvd.sleep "1h"]]),
      "workers = 0,"))
    local launcher = t:spawn { luvd.binary, "start", file }
    local path = (t.home and t.home .. "/.local/state/" or "/var/log/") .. t.name .. ".log"
    loop.wait_for("the service's word", function() return (proc.slurp(path) or ""):find "in start" end)
    local pids = proc.find(function(pid)
      return pid ~= launcher.pid and luvd.is_ours(pid)
    end)
    assert.equal(1, #pids)
    return launcher, pids[1]
  end

  it("fails when the daemon is told to stop", luvd.root_test(function(t)
    local launcher, pid = hanging(t)
    uv.kill(pid, "sigterm")
    launcher:wait()
    assert.equal(1, launcher.code)
    assert.matches("SIGTERM", launcher.err)
    t:assert_nothing_left()
  end))

  it("fails when the daemon is killed, and says so", luvd.root_test(function(t)
    local launcher, pid = hanging(t)
    uv.kill(pid, "sigkill")
    launcher:wait()
    assert.equal(1, launcher.code)
    assert.matches("signal 9", launcher.err)
    t:assert_nothing_left()
  end))

  for _, signal in ipairs { "sigint", "sigterm", "sighup" } do
    it("takes everything back when the launcher gets " .. signal:upper(), luvd.root_test(function(t)
      local launcher, pid = hanging(t)
      uv.kill(launcher.pid, signal)
      launcher:wait()
      assert.equal(1, launcher.code)
      assert.is_false(proc.alive(pid))
      t:assert_nothing_left()
    end))
  end

  it("ends by itself when the launcher vanishes", luvd.root_test(function(t)
    local launcher, pid = hanging(t, [[luvd.sleep "300ms"]])
    uv.kill(launcher.pid, "sigkill")
    launcher:wait_exit()
    proc.wait_end(pid)
    t:assert_no_process()
  end))
end)

describe("luvd run", function()
  it("stays in the foreground and stops gracefully on Ctrl-C", luvd.test(function(t)
    local d = t:run(t:file(services.echo()))
    assert.equal("hello\n", ask(d, "hello"))
    d:signal "sigint"
    d.child:wait()
    assert.same({ 0, 0 }, { d.child.code, d.child.signal })
    t:assert_nothing_left()
  end))

  it("exits with what os.exit says, after a graceful stop", luvd.test(function(t)
    local file = t:file(services.start([[luvd.every("20ms", function() os.exit(7) end)]], "",
      [[stop = function(daemon) daemon.log:info "stopping well" end]]))
    local child = t:luvd { "run", file }
    assert.equal(7, child.code)
    assert.matches("stopping well", child.err)
  end))

  it("is already running: exit 3", luvd.test(function(t)
    local file = t:file(services.echo())
    local d = t:run(file)
    assert.equal(3, t:luvd({ "run", file }).code)
    d:signal "sigterm"
    d.child:wait()
    assert.equal(0, d.child.code)
  end))

  it("fails like start when the service raises", luvd.test(function(t)
    local result = t:luvd { "run", t:file(services.start [[error "the well is dry"]]) }
    assert.equal(1, result.code)
    assert.matches("the well is dry", result.err, 1, true)
    t:assert_nothing_left()
  end))
end)

describe("wrong usage", function()
  for _, arguments in ipairs {
    { "start" }, { "start", "/nonexistent/x.lua" }, { "fly" }, { "start", "--nonsense", "x.lua" }, {},
    { "check" }, { "stop", "a", "b" },
  } do
    it(("exits with 2: luvd %s"):format(table.concat(arguments, " ")), luvd.test(function(t)
      local result = t:luvd(arguments)
      assert.equal(2, result.code)
      assert.matches("^luvd: ", result.err)
    end))
  end

  it("exits with 2 for what check finds, and names all of it", luvd.test(function(t)
    local file = t:file 'return {\n  usr = "x",\n  umask = 22,\n  service = { start = function() end },\n}\n'
    for _, command in ipairs { "check", "plan", "start", "run" } do
      local result = t:luvd { command, file }
      assert.equal(2, result.code)
      assert.matches(t.name .. ".lua:2: usr: ", result.err, 1, true)
      assert.matches([[umask: expected an octal string such as "027", got 22]], result.err, 1, true)
    end
    t:assert_nothing_left()
  end))
end)
