-- A daemon with workers: what its monitor does while they come, serve and go.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

local function workers(n, keys) return ("workers = %s, %s"):format(n, keys or "") end

-- Its workers as status tells them: by their number.
local function crew(d)
  local found = {}
  for _, worker in ipairs(d:status().workers) do found[worker.number] = worker end
  return found
end

local function ask(d, line) return client.ask(d:address(), line .. "\n") end

-- The root's own words for what `ask` says of the worker that answers.
local function eval(d, line) return (ask(d, line):gsub("\n$", "")) end

local function children(pid)
  local text = proc.slurp(("/proc/%d/task/%d/children"):format(pid, pid)) or ""
  local list = {}
  for child in text:gmatch "%d+" do list[#list + 1] = math.tointeger(tonumber(child)) end
  return list
end

-- Waits until a service has written a pid into its file.
local function pid_in(path)
  return loop.wait_for("a pid in " .. path, function()
    return math.tointeger(tonumber((proc.slurp(path) or ""):match "^(%d+)\n"))
  end)
end

describe("a daemon with workers", function()
  it("starts, serves and stops, and leaves nothing", luvd.test(function(t)
    local d = t:start(t:file(services.echo(workers(1))))
    assert.equal("hello\n", ask(d, "hello"))
    local status = d:status()
    assert.same({ d.pid, "running", 1 }, { status.pid, status.state, #status.workers })
    assert.is_true(proc.alive(status.workers[1].pid))
    assert.same({ status.workers[1].pid }, children(d.pid))
    d:stop()
    t:assert_nothing_left()
  end))

  for _, n in ipairs { "3", '"auto"' } do
    it("has as many as the daemon file says: " .. n, luvd.test(function(t)
      local d = t:start(t:file(services.eval(workers(n))))
      local expected = tonumber(n) or #uv.cpu_info()
      assert.equal(expected, #d:status().workers)
      assert.equal(expected, #children(d.pid))
      assert.equal(("%d"):format(expected), eval(d, "daemon.workers"))
      d:stop()
      t:assert_nothing_left()
    end))
  end

  it("is ready only when all of them are", luvd.test(function(t)
    local gate = t.folder .. "/gate"
    local file = t:file(services.start(([[
      if daemon.worker == 2 then
        local fs = require "luvd.fs"
        daemon.log:info "waiting"
        while not fs.stat(%q) do luvd.sleep "5ms" end
      end]]):format(gate), workers(2)))
    local launcher = t:spawn { luvd.binary, "start", file }
    local log = (t.home and t.home .. "/.local/state/" or "/var/log/") .. t.name .. ".log"
    loop.wait_for("worker 2 to wait", function() return (proc.slurp(log) or ""):find "waiting" end)
    assert.is_nil(launcher.code)
    assert.equal("starting", t:attach(file):status().state)
    t:file("", "gate")
    launcher:wait()
    assert.same({ 0, "" }, { launcher.code, (launcher.err:gsub("luvd: warning:[^\n]*\n", "")) })
    t:attach(file):stop()
  end))

  it("fails to start when one of them does, and leaves nothing", luvd.test(function(t)
    local result = t:failed_start(t:file(services.start(
      [[if daemon.worker == 2 then error "no room for a second" end]], workers(3))))
    assert.equal(1, result.code)
    assert.matches("start: [^\n]*no room for a second", result.err)
  end))

  it("names the row that failed in the worker", luvd.root_test(function(t)
    local result = t:failed_start(t:file(services.echo(workers(1, [[user = "nobody", chroot = "/nonexistent",]]))))
    assert.matches("chroot: cannot make '/nonexistent' the root: no such file or directory", result.err)
  end))

  it("fails to start when it takes longer than timeouts.start", luvd.test(function(t)
    local result = t:failed_start(t:file(services.start([[luvd.sleep "1h"]],
      workers(2, [[timeouts = { start = "200ms" },]]))))
    assert.equal(1, result.code)
    assert.matches("200ms", result.err)
  end))

  it("runs in the foreground, and Ctrl-C stops it", luvd.test(function(t)
    local d = t:run(t:file(services.echo(workers(2))))
    assert.equal("hello\n", ask(d, "hello"))
    d:signal "sigint"
    d.child:wait()
    assert.same({ 0, 0 }, { d.child.code, d.child.signal })
    t:assert_nothing_left()
  end))

  it("exits with the code that a service asks for", luvd.test(function(t)
    local result = t:luvd { "run", t:file(services.start(
      [[luvd.every("20ms", function() luvd.stop(7) end)]], workers(2))) }
    assert.equal(7, result.code, result.err)
    t:assert_nothing_left()
  end))

  it("fails with the pid when it runs already", luvd.test(function(t)
    local file = t:file(services.echo(workers(1)))
    local d = t:start(file)
    local second = t:luvd { "start", file }
    assert.equal(3, second.code)
    assert.equal(("luvd: %s: already running, pid %d\n"):format(t.name, d.pid), second.err)
    d:stop()
  end))

  it("confines its workers and not its monitor", luvd.root_test(function(t)
    local d = t:start(t:file(services.eval(workers(2, [[user = "nobody", chroot = "auto",]]))))
    local monitor = proc.status(d.pid)
    assert.equal("0 0 0 0", table.concat(monitor.Uid, " "))
    assert.same(monitor.CapEff, monitor.CapBnd)
    assert.equal(0, tonumber(monitor.CapEff[1], 16) >> 21 & 1) -- sys_admin
    for _, worker in ipairs(d:status().workers) do
      local status = proc.status(worker.pid)
      assert.equal("65534 65534 65534 65534", table.concat(status.Uid, " "))
      assert.equal("0000000000000000", status.CapBnd[1])
      assert.equal("1", status.NoNewPrivs[1])
    end
    assert.equal("nil", eval(d, [[(require "luvd.fs").stat "/etc"]]))
    d:stop()
    t:assert_nothing_left()
  end))
end)

describe("a worker that dies", function()
  it("is replaced, and the log says how it died and its last lines", luvd.test(function(t)
    local d = t:start(t:file(services.start([[
      daemon.log:info "my last words"
      io.stderr:write "and what I wrote\n"]], workers(2))))
    local victim = crew(d)[1].pid
    uv.kill(victim, "sigkill")
    d:wait_log(("worker 1 %%(pid %d%%) was killed by signal 9 %%(SIGKILL%%) after [^\n]*"):format(victim))
    local fresh = loop.wait_for("a new one", function()
      local one = crew(d)[1]
      return one.state == "ready" and one.pid ~= victim and one
    end)
    assert.equal(1, fresh.restarts)
    assert.matches("my last words.*and what I wrote.*was killed by signal 9", d:log())
    assert.is_true(proc.alive(d.pid))
    d:stop()
    t:assert_nothing_left()
  end))

  it("of a heartbeat that is missing is killed", luvd.test(function(t)
    local d = t:start(t:file(services.start([[
      if daemon.worker == 1 and daemon.generation == 1 then
        luvd.every("50ms", function() while not io.open(daemon.config.stop) do end end)
      end]], workers(2, ("timeouts = { watchdog = \"300ms\" }, config = { stop = %q },")
        :format(t.folder .. "/stop")))))
    d:wait_log "no heartbeat for 300ms"
    t:file("", "stop")
    loop.wait_for("both to serve", function()
      local all = crew(d)
      return all[1].state == "ready" and all[2].state == "ready"
    end)
    d:stop()
  end))

  it("is not suspected of death when the whole daemon was stopped", luvd.test(function(t)
    local d = t:start(t:file(services.echo(workers(1, [[timeouts = { watchdog = "200ms" },]]))))
    local worker = crew(d)[1].pid
    d:signal "sigstop"
    uv.kill(worker, "sigstop")
    loop.poll(function() return false end, 600) -- three times as long as a worker may be silent
    uv.kill(worker, "sigcont")
    d:signal "sigcont"
    assert.equal("hello\n", ask(d, "hello"))
    assert.equal(worker, crew(d)[1].pid)
    d:stop()
  end))

  it("takes what it has started with it", luvd.test(function(t)
    local d = t:start(t:file(services.start(([[
      local uv = require "luv"
      local function start(name, detached)
        local _, pid = uv.spawn("/bin/sleep", { args = { "3600" }, detached = detached }, function() end)
        local file = assert(io.open(%q .. name, "w"))
        file:write(("%%d\n"):format(pid))
        file:close()
      end
      start("plain", false)
      start("detached", true)]]):format(t.folder .. "/"), workers(1))))
    local plain, detached = pid_in(t.folder .. "/plain"), pid_in(t.folder .. "/detached")
    assert.is_true(proc.alive(plain) and proc.alive(detached))
    uv.kill(crew(d)[1].pid, "sigkill")
    proc.wait_end(plain)
    proc.wait_end(detached)
    local again = loop.wait_for("the new one's", function()
      local pid = pid_in(t.folder .. "/plain")
      return pid ~= plain and pid
    end)
    d:stop()
    assert.is_false(proc.alive(again))
    t:assert_nothing_left()
  end))

  it("speaks for nobody when it is a stranger's process that ends", luvd.test(function(t)
    -- A child of the monitor from before it was one: reaped, and nothing else happens.
    local file = t:file(services.echo(workers(1)))
    local child = t:spawn({ "/bin/sh", "-c", ('sleep 0.3 & exec "%s" run "%s"'):format(luvd.binary, file) })
    local d = loop.wait_for("ready", function()
      return t:luvd({ "status", file }).code == 0 and t:attach(file)
    end)
    loop.wait_for("the stranger to be reaped", function() return #children(d.pid) == 1 end)
    assert.equal("hello\n", ask(d, "hello"))
    uv.kill(d.pid, "sigterm")
    child:wait()
    assert.equal(0, child.code)
  end))
end)

describe("a monitor", function()
  it("that is killed leaves no process within a second, and the next start works", luvd.test(function(t)
    local file = t:file(services.echo(workers(3)))
    local d = t:start(file)
    local all = crew(d)
    d:signal "sigkill"
    for _, worker in ipairs(all) do proc.wait_end(worker.pid, 1000) end
    t:assert_stopped()
    t:start(file):stop()
    t:assert_nothing_left()
  end))

  it("that is killed ends workers whose Lua spins, too", luvd.test(function(t)
    local d = t:start(t:file(services.start([[luvd.every("10ms", function()
      daemon.log:info "spinning"
      while true do end
    end)]], workers(1, [[lua = { slice = 0 },]]))))
    d:wait_log "spinning"
    local worker = children(d.pid)[1]
    d:signal "sigkill"
    proc.wait_end(worker, 1000)
    t:assert_stopped()
  end))

  it("is told twice to stop: its workers are killed", luvd.test(function(t)
    local d = t:start(t:file(services.start("", workers(2), [[stop = function(daemon)
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
    t:assert_nothing_left()
  end))

  it("gives a signal with a name to the service of every worker", luvd.test(function(t)
    local d = t:start(t:file(services.start("", workers(2, [[signals = { WINCH = "service.wave" },]]),
      [[wave = function(daemon) daemon.log:info(("waved %d"):format(daemon.worker)) end]])))
    d:signal "sigwinch"
    d:wait_log "waved 1"
    d:wait_log "waved 2"
    d:stop()
  end))

  it("opens the log anew on USR1, for confined workers too", luvd.root_test(function(t)
    local path = t.folder .. "/x.log"
    local d = t:start(t:file(services.eval(workers(1,
      ([[user = "nobody", chroot = "auto", log = %q,]]):format(path)))))
    assert(uv.fs_rename(path, path .. ".1"))
    d:signal "sigusr1"
    loop.wait_for("the new log", function() return (proc.slurp(path) or ""):find "log opened anew" end)
    eval(d, [[daemon.log:info "to the new one"]])
    loop.wait_for("the line", function() return proc.slurp(path):find "to the new one" end)
    d:stop()
  end))

  it("gives declared files anew on USR1, for confined workers too", luvd.root_test(function(t)
    local path = t.folder .. "/series"
    local d = t:start(t:file(services.eval(workers(2,
      ([[user = "nobody", chroot = "auto", files = { series = { path = %q, mode = "a" } },]]):format(path)))))
    assert(uv.fs_rename(path, path .. ".1"))
    d:signal "sigusr1"
    loop.wait_for("the new file", function() return uv.fs_stat(path) end)
    loop.wait_for("a line in it", function()
      eval(d, [[daemon.files.series:write "x\n"]])
      return proc.slurp(path):find "x"
    end)
    d:stop()
  end))

  it("is small", luvd.test(function(t)
    if luvd.sanitized then return end
    local d = t:start(t:file(services.echo(workers(1))))
    local resident = proc.resident(d.pid) -- libuv alone: 1536 KiB
    assert.is_true(resident < 3584, resident .. " KiB")
    d:stop()
  end))

  it("as process 1 of a container reaps orphans and exits with the daemon's code", luvd.root_test(function(t)
    local file = t:file(services.eval(workers(1)))
    local d = t:run(file, nil, nil, { "/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child" })
    local first = children(d.child.pid)[1]
    local worker = loop.wait_for("the worker", function() return children(first)[1] end)
    assert.equal("1", proc.status(first).NSpid[2])
    -- A grandchild whose parent ends at once.
    eval(d, [[os.execute "(sleep 0.05; exit 3) &"]])
    loop.wait_for("the orphan to be reaped", function()
      for _, pid in ipairs(children(first)) do if pid ~= worker then return false end end
      return true
    end)
    eval(d, [[require("luvd").stop(9)]])
    d.child:wait()
    assert.equal(9, d.child.code, d.child.err)
    t:assert_nothing_left()
  end))

  it("as process 1 stops on TERM", luvd.root_test(function(t)
    local d = t:run(t:file(services.echo(workers(1))), nil, nil,
      { "/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child" })
    uv.kill(children(d.child.pid)[1], "sigterm")
    d.child:wait()
    assert.equal(0, d.child.code, d.child.err)
    t:assert_nothing_left()
  end))

  it("as process 1 reloads on a HUP from outside the container", luvd.root_test(function(t)
    for count = 0, 1 do
      local d = t:run(t:file(services.echo(workers(count))), nil, nil,
        { "/usr/bin/unshare", "--pid", "--fork", "--mount-proc", "--kill-child" })
      local first = children(d.child.pid)[1]
      uv.kill(first, "sighup")
      loop.wait_for("the reload", function()
        return d.child.err:match "SIGHUP from outside the container %(uid 0%)\n.-reloaded in"
      end)
      uv.kill(first, "sigterm")
      d.child:wait()
      assert.equal(0, d.child.code, d.child.err)
    end
    t:assert_nothing_left()
  end))

  it("cannot be started in the background by process 1", luvd.root_test(function(t)
    local result = t:command { "/usr/bin/unshare", "--pid", "--fork", "--mount-proc", luvd.binary, "start",
      t:file(services.echo(workers(1))) }
    assert.same({ 2, "luvd: start: process 1 of a container stays in the foreground: use 'luvd run'\n" },
      { result.code, result.err })
  end))
end)

describe("a start with workers that is interrupted", function()
  -- Starts a daemon whose workers wait in start: the launcher, and the monitor's pid.
  local function hanging(t, start)
    local file = t:file(services.start(([[daemon.log:info(("in start %%d"):format(daemon.worker)); %s]])
      :format(start or [[luvd.sleep "1h"]]), workers(2)))
    local launcher = t:spawn { luvd.binary, "start", file }
    local path = (t.home and t.home .. "/.local/state/" or "/var/log/") .. t.name .. ".log"
    loop.wait_for("the services' words", function()
      local text = proc.slurp(path) or ""
      return text:find "in start 1" and text:find "in start 2"
    end)
    return launcher, t:attach(file).pid
  end

  it("fails when the monitor is told to stop", luvd.test(function(t)
    local launcher, monitor = hanging(t)
    uv.kill(monitor, "sigterm")
    launcher:wait()
    assert.equal(1, launcher.code)
    assert.matches("interrupted by SIGTERM", launcher.err)
    t:assert_nothing_left()
  end))

  it("fails when the monitor is killed, and says so", luvd.test(function(t)
    local launcher, monitor = hanging(t)
    uv.kill(monitor, "sigkill")
    launcher:wait()
    assert.equal(1, launcher.code)
    assert.matches("signal 9", launcher.err)
    t:assert_nothing_left()
  end))

  for _, signal in ipairs { "sigint", "sigterm", "sighup" } do
    it("takes everything back when the launcher gets " .. signal:upper(), luvd.test(function(t)
      local launcher, monitor = hanging(t)
      local all = children(monitor)
      assert.equal(2, #all)
      uv.kill(launcher.pid, signal)
      launcher:wait()
      assert.equal(1, launcher.code)
      assert.is_false(proc.alive(monitor) or proc.alive(all[1]) or proc.alive(all[2]))
      t:assert_nothing_left()
    end))
  end

  it("ends by itself when the launcher vanishes", luvd.test(function(t)
    local launcher, monitor = hanging(t)
    uv.kill(launcher.pid, "sigkill")
    launcher:wait_exit()
    proc.wait_end(monitor)
    t:assert_no_process()
  end))
end)
