-- A new binary takes over a running daemon in place.

local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"
local visitors = require "support.visitors"

local service = [[
local http, luvd = require "luvd.http", require "luvd"
local service = {}
function service.start(daemon)
  if daemon.config.bad and daemon.generation > 1 then error("no start for generation " .. daemon.generation, 0) end
  http.serve(daemon.listeners.web, function(request)
    if request.path == "/slow" then luvd.sleep(daemon.config.slow or 0.2) end
    return 200, "generation " .. daemon.generation
  end)
end
return service
]]

local function file(t, keys)
  t:file(service, "page.lua")
  return t:file(([[
return {
  listen = { web = "tcp://127.0.0.1:0" },
  workers = 2,
  service = "./page.lua",
  %s
}
]]):format(keys or ""))
end

local function start(t, keys)
  t:own_binary()
  return t:start(file(t, keys))
end

local function page(d)
  return require "support.http".ask(d:address(), "GET /").body
end

-- What must be the same afterwards: the process, its listening sockets and its lock.
local function identity(d)
  local kept = {}
  for _, to in pairs(proc.descriptors(d.pid)) do
    if to:match "/lock$" then kept[#kept + 1] = to .. " " .. math.tointeger(uv.fs_stat(to).ino) end
  end
  local listening = {}
  for line in proc.slurp(("/proc/%d/net/tcp"):format(d.pid)):gmatch "[^\n]+" do
    local state, inode = line:match "^%s*%d+: %S+ %S+ (%x%x) %S+ %S+ %S+%s+%S+%s+%S+ (%d+)"
    if state == "0A" then listening["socket:[" .. inode .. "]"] = true end
  end
  for _, to in pairs(proc.descriptors(d.pid)) do
    if listening[to] then kept[#kept + 1] = to end
  end
  table.sort(kept)
  return kept
end

local function pids(d)
  local list = {}
  for _, worker in ipairs(d:status().workers) do list[#list + 1] = worker.pid end
  return list
end

local function gone(list)
  loop.wait_for("the old workers' end", function()
    for _, pid in ipairs(list) do
      if proc.alive(pid) then return false end
    end
    return true
  end)
end

-- Upgrades and waits until only the new workers are there.
local function upgrade(d, generation)
  local old = pids(d)
  local verdict = d:upgrade()
  assert.same({ 0, "" }, { verdict.code, verdict.err })
  assert.matches(("upgraded to luvd %%S+ in %%d+ ms, generation %d\n$"):format(generation), verdict.out)
  gone(old)
end

describe("an upgrade", function()
  it("replaces binary and workers; process, lock and sockets stay", luvd.test(function(t)
    local d = start(t)
    local before = identity(d)
    assert.is_true(#before >= 2)
    assert.equal("generation 1", page(d))
    t:install()
    local size = uv.fs_stat(t.binary).size
    upgrade(d, 2)
    assert.equal("generation 2", page(d))
    assert.same(before, identity(d))
    if luvd.root then -- nobody else sees it
      assert.equal(size, uv.fs_stat(("/proc/%d/exe"):format(d.pid)).size)
      for _, pid in ipairs(pids(d)) do assert.equal(size, uv.fs_stat(("/proc/%d/exe"):format(pid)).size) end
    end
    assert.equal(d.pid, d:status().pid)
    assert.matches("monitor", proc.slurp(("/proc/%d/cmdline"):format(d.pid)))
    d:stop()
    t:assert_nothing_left()
  end))

  it("comes with SIGUSR2 too", luvd.test(function(t)
    local d = start(t)
    t:install()
    d:signal "sigusr2"
    d:wait_log "upgraded to luvd"
    assert.equal("generation 2", page(d))
    d:stop()
  end))

  it("loses no request", luvd.test(function(t)
    local d = start(t)
    local load = visitors.start(d:address(), 8, 8)
    for generation = 2, 4 do
      t:install()
      local asked = load.count
      upgrade(d, generation)
      loop.wait_for("a few answers", function() return load.count > asked + 100 end)
    end
    local count, lost = load:finish()
    assert.same({}, lost)
    assert.is_true(count > 300)
    assert.equal("generation 4", page(d))
    d:stop()
    t:assert_nothing_left()
  end))

  it("leaves as many descriptors as before, however often", luvd.test(function(t)
    local d = start(t)
    t:install()
    upgrade(d, 2)
    local function count()
      local open = 0
      for _ in pairs(proc.descriptors(d.pid)) do open = open + 1 end
      return open
    end
    d:status()
    local before = count()
    for generation = 3, 7 do
      t:install()
      upgrade(d, generation)
    end
    d:status()
    loop.wait_for("as many descriptors as before", function() return count() <= before end)
    assert.equal(before, count())
    d:stop()
  end))

  it("keeps log, its followers and its numbers", luvd.test(function(t)
    local d = start(t)
    local follower = t:spawn { luvd.binary, "logs", d.file, "--follow" }
    loop.wait_for("the first line", function() return follower.out:find("ready", 1, true) end)
    t:install()
    upgrade(d, 2)
    loop.wait_for("the last line", function() return follower.out:find("upgraded to luvd", 1, true) end)
    d:wait_log "exited.*exited[^\n]*\n"
    local written = proc.slurp(d:log_path())
    assert.matches("ready, pid .*upgraded to luvd .*exited", written)
    assert.equal(written, t:command({ luvd.binary, "logs", d.file }).out)
    loop.wait_for("all lines", function() return #follower.out >= #written end)
    assert.equal(written, follower.out)
    assert.matches("^[^\n]*exited[^\n]*\n$", t:command({ luvd.binary, "logs", d.file, "--lines", "1" }).out)
    d:stop()
    loop.wait_for("the follower's end", function() return follower.code end)
  end))

  it("leaves a monitor that replaces workers that die", luvd.test(function(t)
    local d = start(t)
    t:install()
    upgrade(d, 2)
    local dead = pids(d)[1]
    uv.kill(dead, "sigkill")
    d:wait_log(("worker %%d %%(pid %d%%) %%S+ .*signal"):format(dead))
    loop.wait_for("another worker", function()
      local now = pids(d)
      return #now == 2 and now[1] ~= dead and now[2] ~= dead
    end)
    assert.equal("generation 2", page(d))
    assert.equal(0, d:reload().code)
    d:stop()
    t:assert_nothing_left()
  end))

  for name, keys in pairs {
    ["confined"] = [[user = "nobody", chroot = "auto", directories = { state = true }, log = "/var/log/NAME.log",
      files = { note = { path = "/var/log/NAME.note", mode = "a" } },]],
    ["with a socket for each worker"] = [[listen = { web = { address = "tcp://127.0.0.1:0", reuseport = true } },]],
    ["with a unix socket"] = [[listen = { web = "tcp://127.0.0.1:0", local_ = "unix:/tmp/NAME/socket" },]],
    ["without a control socket"] = [[control = false,]],
  } do
    it("is the same for a daemon " .. name, luvd.root_test(function(t)
      t:finally(function() uv.fs_unlink(("/var/log/%s.note"):format(t.name)) end)
      local d = start(t, (keys:gsub("NAME", t.name)))
      if name == "without a control socket" then
        t:install()
        local verdict = d:upgrade()
        assert.equal(0, verdict.code)
        assert.matches("has no control socket: SIGUSR2 is sent", verdict.err)
        d:wait_log "upgraded to luvd"
        d:stop()
        return t:assert_nothing_left()
      end
      local before = identity(d)
      local status = proc.status(d.pid)
      local load = visitors.start(d:address "web", 4, 4)
      for generation = 2, 3 do
        t:install()
        upgrade(d, generation)
        assert.same(before, identity(d))
      end
      local _, lost = load:finish()
      assert.same({}, lost)
      for _, field in ipairs { "Uid", "Groups", "CapEff", "CapPrm", "CapBnd", "SigBlk", "SigIgn", "SigCgt" } do
        assert.same(status[field], proc.status(d.pid)[field], field)
      end
      assert.equal(0, d:reload().code)
      d:stop()
      t:assert_nothing_left()
    end))
  end

  it("is the same for a daemon of an ordinary user", luvd.test(function(t)
    t:unprivileged()
    local d = start(t)
    t:install()
    upgrade(d, 2)
    assert.equal("generation 2", page(d))
    d:stop()
    t:assert_nothing_left()
  end))

  it("is the same in the foreground", luvd.test(function(t)
    t:own_binary()
    local d = t:run(file(t))
    t:install()
    upgrade(d, 2)
    assert.equal("generation 2", page(d))
    loop.wait_for("the last line", function() return d.child.err:find("exited with code 0", 1, true) end)
    d:signal "sigint"
    d.child:wait()
    assert.equal(0, d.child.code)
    t:assert_nothing_left()
  end))

  it("tells the service manager RELOADING and READY, and goes on with its watchdog", luvd.test(function(t)
    t:own_binary()
    local heard = t:spawn { luvd.helpers .. "/datagrams", t.folder .. "/notify" }
    heard:wait_output("out", "listening")
    t:finally(function() heard:close_stdin(); heard:wait() end)
    local d = t:start(file(t), {}, { more_env = { "NOTIFY_SOCKET=" .. t.folder .. "/notify", "WATCHDOG_USEC=100000" } })
    t:install()
    upgrade(d, 2)
    heard:wait_output("out", "RELOADING=1[^\n]*MONOTONIC_USEC=%d+")
    local reloading = heard.out:find "RELOADING=1"
    loop.wait_for("READY after it", function() return heard.out:find("READY=1", reloading, true) end)
    local length = #heard.out
    loop.wait_for("WATCHDOG after it", function() return heard.out:find("WATCHDOG=1", length, true) end)
    local _, pids_told = heard.out:gsub("MAINPID=", "")
    assert.equal(1, pids_told)
    d:stop()
  end))

  it("and reloads do not hinder each other", luvd.test(function(t)
    local d = start(t)
    local load = visitors.start(d:address(), 4, 4)
    for round = 1, 5 do
      t:install()
      local children = {}
      for index, command in ipairs { "reload", "upgrade", "reload" } do
        if command == "reload" then
          t:file(service .. ("-- %d.%d\n"):format(round, index), "page.lua")
        end
        children[index] = t:spawn { luvd.binary, command, d.file }
      end
      for _, child in ipairs(children) do
        child:wait()
        assert.same({ 0, "" }, { child.code, child.err })
      end
    end
    local _, lost = load:finish()
    assert.same({}, lost)
    assert.equal("running", d:status().state)
    d:stop()
    t:assert_nothing_left()
  end))

  it("is refused while another one is under way", luvd.test(function(t)
    local d = start(t)
    t:install(proc.slurp "/usr/bin/yes")
    local first = t:spawn { luvd.binary, "upgrade", d.file }
    loop.wait_for("the trial", function() return d:status().state == "upgrading" end)
    local second = d:upgrade()
    assert.equal(1, second.code)
    assert.matches("an upgrade is under way", second.err, 1, true)
    assert.equal("generation 1", page(d))
    d:stop()
    first:wait()
    assert.equal(1, first.code)
    assert.matches("the daemon is stopping", first.err, 1, true)
    t:assert_nothing_left()
  end))

  it("works during a drain", luvd.test(function(t)
    local d = start(t, "config = { slow = 3600 }, timeouts = { drain = '1h' }")
    local slow = require "support.client".connect(d:address())
    slow:write "GET /slow HTTP/1.1\r\nHost: test\r\n\r\n"
    local draining = loop.wait_for("the slow request", function()
      for _, worker in ipairs(d:status().workers) do
        if worker.listeners and worker.listeners[1].connections == 1 then return worker.pid end
      end
    end)
    for generation = 2, 3 do
      t:install()
      local verdict = d:upgrade()
      assert.same({ 0, "" }, { verdict.code, verdict.err })
      assert.equal("generation " .. generation, page(d))
      assert.is_true(proc.alive(draining))
    end
    assert.equal(2, #d:status().generations)
    uv.kill(draining, "sigkill")
    loop.wait_for("the end of generation 1", function() return #d:status().generations == 1 end)
    slow:close()
    d:stop()
    t:assert_nothing_left()
  end))

  it("that is stopped stops: at once, and with a signal that came meanwhile", luvd.test(function(t)
    local d = start(t)
    t:install()
    local child = t:spawn { luvd.binary, "upgrade", d.file }
    d:signal "sigterm"
    d:wait_end()
    loop.wait_for("the verdict", function() return child.code end)
    t:assert_nothing_left()
    for _, line in ipairs { "SIGUSR2 from", "takes over from", "upgraded to" } do
      d = t:start(d.file)
      assert(uv.fs_unlink(d:log_path()))
      d:signal "sigusr1"
      d:wait_log "log opened anew"
      t:install()
      d:signal "sigusr2"
      d:wait_log(line)
      d:signal "sigterm"
      d:wait_end()
      assert.matches("stopped\n$", d:log())
      t:assert_nothing_left()
    end
  end))
end)

describe("a new binary that is no good", function()
  local cases = {
    { "an empty file", function(t) t:install("") end, "cannot be executed" },
    { "a script", function(t) t:install("#!/bin/sh\necho ready 9\n") end, "cannot be executed" },
    { "half a binary", function(t) t:install(proc.slurp(luvd.binary):sub(1, 100000)) end, "the new binary" },
    { "one that fails", function(t) t:install(proc.slurp "/bin/false") end, "has exited with 1 and no answer" },
    { "another program", function(t) t:install(proc.slurp "/bin/cat") end, "refuses: " },
    { "one that hangs", function(t) t:install(proc.slurp "/usr/bin/yes") end, "has not answered within 5 s" },
    { "one that nobody may execute", function(t) t:install(nil, "644") end, "is not executable: chmod +x '" },
    { "none", function(t) assert(uv.fs_unlink(t.binary)) end, "cannot open '" },
  }
  for _, case in ipairs(cases) do
    it("changes nothing: " .. case[1], luvd.test(function(t)
      local d = start(t)
      local before, workers = identity(d), pids(d)
      case[2](t)
      local verdict = d:upgrade()
      assert.equal(1, verdict.code)
      assert.equal("", verdict.out)
      assert.matches(case[3], verdict.err, 1, true)
      d:wait_log "upgrade refused: "
      assert.equal("running", d:status().state)
      assert.same(workers, pids(d))
      assert.same(before, identity(d))
      assert.equal("generation 1", page(d))
      d:stop()
      t:assert_nothing_left()
    end))
  end

  it("is one that others could have changed", luvd.root_test(function(t)
    local d = start(t)
    t:install(nil, "775")
    assert.matches("is writable by others: chmod g-w '" .. t.binary .. "'", d:upgrade().err, 1, true)
    t:install()
    assert(uv.fs_chown(t.binary, luvd.nobody, luvd.nobody))
    assert.matches("belongs to nobody, who could change what root runs", d:upgrade().err, 1, true)
    t:install()
    assert(uv.fs_chmod(t.folder .. "/bin", tonumber("777", 8)))
    assert.matches("is writable by others: chmod go-w '" .. t.folder .. "/bin'", d:upgrade().err, 1, true)
    assert.equal("generation 1", page(d))
    d:stop()
  end))

  it("is not kept up by a worker that lies about its heart", luvd.test(function(t)
    local d
    t:own_binary()
    t:file([[
local http = require "luvd.http"
return {
  start = function(daemon)
    http.serve(daemon.listeners.web, function()
      local beat = ("<I4i4i4i4i8i8i8i8i8i8I4I4I4I4I4I4"):pack(7, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
      require "uv".fs_write(3, beat)
      return 200, "lied"
    end)
  end,
}
]], "page.lua")
    d = t:start(t:file [[return { listen = { web = "tcp://127.0.0.1:0" }, workers = 1, service = "./page.lua" }]])
    pcall(page, d) -- it may not come to answer any more
    d:wait_log "it has sent a lag below 0"
    loop.wait_for("another worker", function() return d:status().workers[1].restarts == 1 end)
    t:install()
    upgrade(d, 2)
    d:stop()
  end))

  it("gives the daemon back when it cannot take over", luvd.test(function(t)
    local d = start(t)
    local before, workers = identity(d), pids(d)
    t:install(proc.slurp(luvd.helpers .. "/usurper"))
    local load = visitors.start(d:address(), 4, 4)
    local verdict = d:upgrade()
    assert.equal(1, verdict.code)
    assert.matches("it only plays a luvd", verdict.err, 1, true)
    assert.same(before, identity(d))
    assert.same(workers, pids(d))
    assert.equal("running", d:status().state)
    t:install()
    upgrade(d, 2)
    local _, lost = load:finish()
    assert.same({}, lost)
    d:stop()
    t:assert_nothing_left()
  end))

  it("serves on with the old workers when its own cannot start", luvd.test(function(t)
    local d = start(t, "config = { bad = true }")
    local workers = pids(d)
    t:install()
    local verdict = d:upgrade()
    assert.equal(1, verdict.code)
    assert.matches("no start for generation 2", verdict.err, 1, true)
    assert.equal(uv.fs_stat(luvd.binary).size, uv.fs_stat(("/proc/%d/exe"):format(d.pid)).size)
    d:wait_log "upgrade refused: .*no start for generation 2"
    loop.wait_for("the end of the new workers", function() return #pids(d) == 2 end)
    assert.same(workers, pids(d))
    assert.equal("generation 1", page(d))
    d:stop()
    t:assert_nothing_left()
  end))
end)

describe("a daemon without a monitor", function()
  it("is not upgraded, and says why", luvd.test(function(t)
    local d = t:start(t:file [[
return { workers = 0, service = { start = function() end } }
]])
    local verdict = d:upgrade()
    assert.equal(1, verdict.code)
    assert.matches("this daemon cannot be upgraded: it has no monitor (workers = 0)", verdict.err, 1, true)
    d:stop()
  end))

  it("that does not run is not running", luvd.test(function(t)
    local verdict = t:luvd { "upgrade", t:file "return { service = { start = function() end } }" }
    assert.equal(3, verdict.code)
    assert.matches("not running", verdict.err)
  end))

  it("knows its hidden command", luvd.test(function(t)
    for _, words in ipairs { {}, { "take" }, { "take", "3", "4", "" }, { "resume", "x", "y", "z", "" } } do
      local result = t:luvd { "monitor", table.unpack(words) }
      assert.equal(2, result.code)
      assert.matches("only a daemon that is upgraded uses this command", result.err)
    end
    assert.is_false(tree.exists(t.folder .. "/state"))
  end))
end)
