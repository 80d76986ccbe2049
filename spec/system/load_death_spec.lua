-- Under load from clients that keep their connections and from others that connect for each request: whoever dies takes
-- with it what it was doing and no more.

local client = require "support.client"
local load = require "support.load"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

local KILLS = 10
local CLIENTS = 16

local function worker(d, number)
  for _, one in ipairs(d:status().workers) do
    if one.number == number and one.state == "ready" then return one end
  end
end

-- Another process in that place, and ready.
local function replaced(d, number, pid)
  return loop.wait_for("another worker " .. number, function()
    local one = worker(d, number)
    return one and one.pid ~= pid and one
  end)
end

-- Each client has lost at most one request for a death, on a connection that never had an answer: on one that had, it was
-- asked again, since nothing of an answer came.
local function assert_lost_in_flight(clients, deaths)
  local found = load.over(clients)
  assert.is_true(found.lost <= deaths * CLIENTS, clients.out)
  for how, kind, rest in clients.out:gmatch "lost (%l+)[^\n]* (%l+) answers=%d+ after ([^\n]*)" do
    assert.equal('fresh ""', kind .. " " .. rest, how)
  end
  return found
end

local function seconds(line)
  local hours, minutes, rest = line:match "T(%d+):(%d+):([%d.]+)Z"
  return tonumber(hours) * 3600 + tonumber(minutes) * 60 + tonumber(rest)
end

describe("under load, a worker that is killed", function()
  for _, workers in ipairs { 1, 2 } do
    it(("is replaced, and at most what it was asked is lost: %d"):format(workers), luvd.test(function(t)
      -- Requests that take a while: there are always some on their way.
      load.code(t, 1, [[local luvd = require "luvd"]], [[luvd.sleep "5ms"]])
      local d = t:start(load.file(t, 1, load.keys { workers = workers, more = [[restart = { window = "1ms" },]] }))
      local clients = load.begin(t, d, { pause = 0 })
      for _ = 1, KILLS do
        local pid = worker(d, 1).pid
        assert(uv.kill(math.tointeger(pid), "sigkill"))
        replaced(d, 1, pid)
      end
      local found = assert_lost_in_flight(clients, KILLS)
      assert.is_true(found.repeated > 0)
      assert.equal(KILLS, worker(d, 1).restarts)
      d:stop()
      t:assert_nothing_left()
    end))
  end

  it("in a pcall loop is missed after timeouts.watchdog, and replaced", luvd.test(function(t)
    load.code(t, 1, [[local luvd = require "luvd"]], [[if request.path == "/spin" then
      luvd.log:info(("worker %d spins"):format(daemon.worker))
      while true do pcall(function() while true do end end) end
    end]])
    local d = t:start(load.file(t, 1, load.keys { workers = 2, more = [[
      lua = { slice = "20ms", abort = "50ms" }, timeouts = { watchdog = "300ms" },]] }))
    local before = { worker(d, 1), worker(d, 2) }
    local clients = load.begin(t, d)
    local spinning = client.connect(d:address()):write "GET /spin HTTP/1.1\r\nHost: here\r\n\r\n"
    local number = math.tointeger(tonumber(d:wait_log "worker (%d) spins"))
    d:wait_log(("worker %d: no heartbeat for 300ms"):format(number))
    replaced(d, number, before[number].pid)
    assert.equal(before[3 - number].pid, worker(d, 3 - number).pid)
    loop.wait_for("the end of the connection", function() return spinning.ended end)
    spinning:close()
    assert_lost_in_flight(clients, 1)
    d:stop()
  end))
end)

describe("a worker that dies again and again", function()
  -- One worker kills itself soon after its start, once there is a file.
  local function crash(t, number)
    load.code(t, 1, ([[
    local fs, uv = require "luvd.fs", require "luv"
    daemon.log:info(("worker %%d is up"):format(daemon.worker))
    if daemon.worker == %d then
      require("luvd").every("5ms", function()
        if fs.stat(%q) then uv.kill(uv.os_getpid(), "sigkill") end
      end)
    end]]):format(number, t.folder .. "/die"))
  end

  local function keys(workers, over)
    return load.keys { workers = workers, more = ([[
      restart = { limit = 3, backoff = "40ms", backoff_limit = "1s", over = %q },]]):format(over) }
  end

  it("is restarted later each time, and over the limit the daemon ends and says so", luvd.test(function(t)
    crash(t, 1)
    t:file("", "die")
    local child = t:luvd { "run", load.file(t, 1, keys(1, "stop")) }
    assert.same({ 1, 0 }, { child.code, child.signal }, child.err)
    assert.matches("worker 1 died 4 times within 1m: the daemon stops", child.err, 1, true)
    local up, waits, began = 0, {}, nil
    for line in child.err:gmatch "[^\n]+" do
      local wait = line:match "worker 1 is restarted in (%d+)ms" or line:match "worker 1 is restarted$" and 0
      if wait then
        began, waits[#waits + 1] = seconds(line), tonumber(wait)
      elseif line:find "%]: worker 1 is up" then
        up = up + 1
        -- The clock of the log and that of the wait are not the same one.
        if began then assert.is_true((seconds(line) - began) % 86400 >= waits[#waits] / 1000 - 0.005, line) end
      end
    end
    assert.same({ 4, 3, 0 }, { up, #waits, waits[1] })
    assert.is_true(waits[2] >= 30 and waits[2] <= 50, waits[2]) -- a quarter more or less
    assert.is_true(waits[3] >= 60 and waits[3] <= 100, waits[3])
    t:assert_nothing_left()
  end))

  it("is given up when the others are to go on, and they do, under load", luvd.test(function(t)
    crash(t, 2)
    local d = t:run(load.file(t, 1, keys(2, "go-on")))
    local clients = load.begin(t, d)
    t:file("", "die")
    d:wait_log "worker 2 died 4 times within 1m: it is not restarted"
    assert_lost_in_flight(clients, 4)
    clients = load.begin(t, d)
    local status = d:status()
    assert.same({ false, true }, { status.workers[1].lost, status.workers[2].lost })
    load.assert_none_lost(clients)
    d:signal "sigterm"
    d.child:wait()
    t:assert_nothing_left()
  end))
end)

describe("under load, a monitor", function()
  it("that is killed leaves no process within a second, and the next start works", luvd.test(function(t)
    -- One of its workers spins, and no abort ends that.
    load.code(t, 1, [[local luvd = require "luvd"
    if daemon.worker == 2 then
      luvd.every("50ms", function()
        luvd.log:info "spinning"
        while true do end
      end)
    end]])
    local d = t:start(load.file(t, 1, load.keys { workers = 3, more = [[lua = { slice = 0 },]] }))
    local clients = load.begin(t, d)
    d:wait_log "spinning"
    local all = d:status().workers
    assert.equal(3, #all)
    d:signal "sigkill"
    local killed = loop.now()
    for _, one in ipairs(all) do proc.wait_end(math.tointeger(one.pid), 1000 - (loop.now() - killed)) end
    t:assert_stopped()
    load.over(clients)
    load.code(t, 2)
    local again = t:start(d.file)
    clients = load.begin(t, again)
    assert.same({ "1 2\n" }, load.answers(again, 10))
    load.assert_none_lost(clients)
    again:stop()
    t:assert_nothing_left()
  end))

  it("that was stopped and goes on kills no worker that was alive meanwhile", luvd.test(function(t)
    load.code(t, 1)
    local d = t:start(load.file(t, 1, load.keys { workers = 2, more = [[timeouts = { watchdog = "200ms" },]] }))
    local before = { worker(d, 1).pid, worker(d, 2).pid }
    local clients = load.begin(t, d)
    d:signal "sigstop"
    loop.poll(function() return false end, 600) -- three times as long as a worker may be silent
    d:signal "sigcont"
    loop.poll(function() return false end, 400)
    assert.same(before, { worker(d, 1).pid, worker(d, 2).pid })
    assert.falsy(d:log():find "no heartbeat")
    load.assert_none_lost(clients)
    d:stop()
  end))
end)
