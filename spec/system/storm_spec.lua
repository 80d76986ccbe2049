-- Thousands of clients that behave badly: the others are answered, memory stays bounded, a limit that thousands reach
-- is one line of the log, and when they are gone nothing of them is left.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local storm = require "support.storm"

local get, post, lines, requests = storm.get, storm.post, storm.lines, storm.requests
local outcome, wait_over, ask_until = storm.outcome, storm.wait_over, storm.ask_until

local BURST = 10000 -- milliseconds, of which one line tells
local SPARES = 256 -- coroutines that are kept for the next connections
local LUA_LEFT = 2 << 20 -- bytes that Lua may have kept: those, and tables that do not shrink
local LEFT = 8 << 20 -- bytes that the same storm may add to what malloc keeps of the first: its peak varies

local function clients(wanted)
  local count, reason = storm.clients(wanted)
  return count or pending(reason)
end

local function all_over(storms)
  for _, one in ipairs(storms) do
    if not outcome(one) then return false end
  end
  return true
end

-- --- what is counted ---

-- The process that the storm is for: the one worker.
local function server(d)
  d.service = d.service or math.tointeger(d:worker())
  return d.service
end

local function descriptors(d)
  return #proc.names(("/proc/%d/fd"):format(server(d)))
end

-- Sockets that the daemon has closed, and for which the kernel still has something to send.
local function closing(d)
  local place, count = (":%04X"):format(d:address():match ":(%d+)$"), 0
  for own, state in (proc.slurp "/proc/net/tcp"):gmatch "%d: %x+(:%x+) %x+:%x+ (%x+)" do
    if own == place and state == "04" then count = count + 1 end -- FIN_WAIT1
  end
  return count
end

local function census(d, way)
  local conn, found, line = client.connect(d:address()), {}
  conn:write(way.census)
  repeat line = assert(conn:read_line(), "no census") until line:match "^census"
  conn:close()
  for key, count in line:gmatch "(%w+)=(%d+)" do found[key] = math.tointeger(tonumber(count)) end
  loop.wait_for("the end of the connection", function() return d:status().listeners[1].connections == 0 end)
  found.descriptors, found.resident = descriptors(d), proc.resident(server(d)) * 1024
  return found
end

local function measure(d, way)
  census(d, way) -- what is made at the first use is there now
  local found = census(d, way)
  -- The connection of `status` may still be there.
  loop.poll(function() found.descriptors = math.min(found.descriptors, descriptors(d)) end, 50)
  return found
end

--- Everything is as it was before, but for some ended coroutines.
local function assert_nothing_left(d, before, way)
  local function as_before() return descriptors(d) == before.descriptors end
  loop.wait_for("the end of the connections", as_before)
  local after = census(d, way)
  loop.wait_for("the end of the last connection", as_before)
  for _, what in ipairs { "references", "handles" } do assert.equal(before[what], after[what], what) end
  assert.is_true(after.coroutines <= before.coroutines + SPARES, after.coroutines .. " coroutines")
  assert.is_true(after.memory - before.memory < LUA_LEFT, after.memory - before.memory .. " bytes more in Lua")
  return after
end

--- round(before) twice: malloc keeps what the worst has needed, but what leaks is needed again.
local function twice(d, way, round)
  local before, first = measure(d, way), nil
  for _ = 1, 2 do
    round(before)
    local after = assert_nothing_left(d, before, way)
    local more = after.resident - (first or after).resident
    if os.getenv "STORM_VERBOSE" then print("more", more, before.resident, after.resident) end
    assert.is_true(luvd.sanitized or more < LEFT, more .. " bytes are left")
    first = after
  end
end

--- At its worst each of count clients has cost the daemon no more than that.
local function assert_bounded(d, before, count, bytes)
  local each = (proc.resident_peak(server(d)) * 1024 - before.resident) // count
  if os.getenv "STORM_VERBOSE" then print("each", each) end
  assert.is_true(luvd.sanitized or each <= bytes, ("%d bytes for each client"):format(each))
end

-- One line tells of a burst, and no event is lost: the lines, and what they say was left out, are all.
local function assert_told_once(d, message, events, since)
  local count, told = 0, 0
  for line in d:log():gmatch "[^\n]+" do
    if line:find(message, 1, true) then
      count = count + 1
      told = told + (math.tointeger(tonumber(line:match "suppressed=(%d+)")) or 1)
    end
  end
  local most = 2 + (loop.now() - since) // BURST -- the first, and the rest when the daemon stops
  assert.is_true(count >= 1 and count <= most, ("%d lines: %s\n%s"):format(count, message, d:log():sub(1, 2000)))
  if events then assert.equal(events, told, message) end
end

local function stop(d)
  d:signal "sigterm"
  d.child:wait()
  assert.equal(0, d.child.code, d.child.err)
  for _, wrong in ipairs { "traceback", " error ", "Sanitizer", "cut off\n" } do
    assert.falsy(d:log():find(wrong, 1, true), d:log():sub(1, 4000))
  end
end

describe("in a storm, a net service", function()
  it("holds 10,000 idle connections, and nothing of them when they are gone", luvd.test(function(t)
    local count = clients(10000)
    local d = t:run(storm.net(t, {}))
    twice(d, lines, function(before)
      local child = storm.rage(t, d, { "idle", count }, { "-s", "4" })
      ask_until(d, lines, function() return child.out:match "open" end)
      loop.wait_for("all connections", function() return d:status().listeners[1].connections >= count end)
      assert_bounded(d, before, count, 2048)
      ask_until(d, lines, function() return true end)
      child:wait() -- which ends it
    end)
    stop(d)
  end))

  it("answers among those that never read, reset, half-close and send garbage", luvd.test(function(t)
    local count, since = clients(2000), loop.now()
    local deaf, rude = count // 40, count // 4
    local d = t:run(storm.net(t, { listen = "idle_timeout = '2s', write_buffer = '64KiB'" }))
    twice(d, lines, function(before)
      local storms = { storm.rage(t, d, { "deaf", deaf }, { "-r", ("large\n"):rep(128) }),
        storm.rage(t, d, { "reset", rude }, { "-r", "large\n" }),
        storm.rage(t, d, { "half", rude, "garbage", rude }, { "-r", "hi\n" }) }
      ask_until(d, lines, function() return all_over(storms) end)
      -- A full write_buffer and one more message for each that does not read, or resets while it should.
      assert_bounded(d, before, count, 2048 + (128 << 10) * (deaf + rude // 2) // count)
      assert.equal(deaf, wait_over(storms[1]).cut)
      assert.equal(rude, wait_over(storms[2]).reset)
      local ended = wait_over(storms[3])
      assert.equal(2 * rude, ended.bytes + ended.silent + ended.cut)
      assert.is_true(ended.bytes >= rude) -- each that closes half
    end)
    stop(d)
    assert_told_once(d, "closed: idle for idle_timeout", nil, since)
  end))

  it("leaves nothing to the kernel for long that nobody reads", luvd.test(function(t)
    local count = clients(100)
    local d = t:run(storm.net(t, { listen = "idle_timeout = '500ms'", stop = "500ms" }))
    -- The kernel takes all of it: the daemon has nothing more to do with it than to close.
    local child = storm.rage(t, d, { "deaf", count }, { "-r", "large\n" })
    child:wait_output("out", "open")
    loop.wait_for("all connections", function() return d:status().listeners[1].accepted == count end)
    loop.wait_for("the end of all", function() return d:status().listeners[1].connections == 0 end)
    loop.wait_for("the end of what the kernel sends", function() return closing(d) == 0 end)
    child:wait()
    stop(d)
  end))

  it("tells once that max_connections are open, and serves those that wait", luvd.test(function(t)
    local idle, since = clients(600) // 6, loop.now()
    local d = t:run(storm.net(t, { listen = "max_connections = 50, idle_timeout = '300ms'" }))
    local ended = wait_over(storm.rage(t, d, { "half", 5 * idle, "idle", idle }, { "-r", "hi\n" }))
    assert.equal(5 * idle, ended.bytes)
    assert.equal(idle, ended.silent)
    stop(d)
    assert_told_once(d, "max_connections are open", nil, since)
    assert_told_once(d, "closed: idle for idle_timeout", idle, since)
  end))

  it("refuses one peer's many, and answers the others", luvd.test(function(t)
    local count, since = clients(500), loop.now()
    local d = t:run(storm.net(t, { listen = "max_per_peer = 50" }))
    local before = measure(d, lines)
    local child = storm.rage(t, d, { "idle", count }, { "-s", "1" })
    ask_until(d, lines, function() return child.out:match "open" end)
    loop.wait_for("50 connections", function() return d:status().listeners[1].connections == 50 end)
    child:close_stdin()
    assert_nothing_left(d, before, lines)
    child:wait()
    stop(d)
    assert_told_once(d, "refused: max_per_peer are open", count - 50, since)
  end))

  it("waits without spinning when descriptors run out, and goes on when one is free", luvd.test(function(t)
    local since = loop.now()
    local d = t:run(storm.net(t, { nofile = 64 }))
    local address, pid = d:address(), server(d) -- to tell needs a descriptor too
    local child = storm.rage(t, d, { "idle", 100 })
    child:wait_output("out", "open")
    d:wait_log "cannot accept: waiting for a connection to close"
    local used = proc.cpu_time(pid)
    local waiting = client.connect(address):write "hi\n"
    -- Nothing happens for so long that a retry is among it.
    assert.falsy(loop.poll(function() return waiting.received ~= "" or waiting.ended end, 1500))
    assert.is_true(proc.cpu_time(pid) - used <= 100, proc.cpu_time(pid) - used .. " ms of processor time")
    child:close_stdin()
    assert.equal("hi", waiting:read_line())
    waiting:close()
    child:wait()
    stop(d)
    assert_told_once(d, "cannot accept: waiting for a connection to close", nil, since)
  end))
end)

describe("in a storm, an http service", function()
  it("answers among 4,000 clients that trickle heads, and ends each in time", luvd.test(function(t)
    local count, since = clients(4000), loop.now()
    local d = t:run(storm.http(t, { serve = "header_timeout = '3s'" }))
    local before = measure(d, requests)
    local child = storm.rage(t, d, { "trickle", count }, { "-s", "4" })
    ask_until(d, requests, function() return outcome(child) end)
    assert_bounded(d, before, count, 4096)
    local ended = wait_over(child)
    -- A byte that comes after the close costs the answer before it.
    assert.equal(count, ended["408"] + ended.cut)
    assert.is_true(ended.cut <= count // 20, ended.cut .. " have seen no answer")
    assert_nothing_left(d, before, requests)
    stop(d)
    assert_told_once(d, "a request came too slowly", count, since)
  end))

  it("answers among those that never read, reset, half-close and send garbage", luvd.test(function(t)
    local count, since = clients(2000), loop.now()
    local deaf, rude = count // 40, count // 4
    local d = t:run(storm.http(t, { listen = "write_buffer = '64KiB'",
      serve = "write_timeout = '1s', header_timeout = '1s'" }))
    twice(d, requests, function(before)
      local storms = { storm.rage(t, d, { "deaf", deaf }, { "-r", get "/large":rep(8) }),
        storm.rage(t, d, { "reset", rude }, { "-r", get "/stream" }),
        storm.rage(t, d, { "half", rude, "garbage", rude }, { "-r", post("Content-Length: 5", "small") }) }
      ask_until(d, requests, function() return all_over(storms) end)
      -- A full write_buffer and a slice of a long answer, or a piece of one that is streamed.
      assert_bounded(d, before, count, 4096 + ((320 << 10) * deaf + (128 << 10) * (rude // 2)) // count)
      assert.equal(deaf, wait_over(storms[1]).cut)
      assert.equal(rude, wait_over(storms[2]).reset)
      local ended = wait_over(storms[3])
      assert.equal(rude, ended["200"])
      assert.equal(rude, ended["400"] + ended["408"] + ended["505"] + ended["501"] + ended.silent + ended.cut)
    end)
    stop(d)
    assert_told_once(d, "a client was cut off: it reads too slowly", 2 * deaf, since)
    assert_told_once(d, "a malformed request was refused", nil, since)
  end))

  it("tells of each limit once, however many reach it", luvd.test(function(t)
    local since, count = loop.now(), clients(400) and 100
    local d = t:run(storm.http(t, { serve = "body_timeout = '500ms', header_timeout = '500ms', max_running = 100" }))
    local before = measure(d, requests)
    local limits = {
      { "half", "414", "a request line longer than max_line", get("/" .. ("x"):rep(9000)) },
      { "half", "431", "a head longer than max_head", ("GET / HTTP/1.1\r\nX: %s\r\n"):format(("x"):rep(40000)) },
      { "half", "413", "a body longer than max_body", post "Content-Length: 2000000" },
      { "half", "417", "an expectation was refused", post "Expect: miracles\r\nContent-Length: 0" },
      { "half", "501", "an unknown method was refused", "CONNECT here:1 HTTP/1.1\r\nHost: here\r\n\r\n" },
      { "half", "505", "an unknown version was refused", "GET / HTTP/2.0\r\nHost: here\r\n\r\n" },
      { "half", "400", "a malformed request was refused", "GET / HTTP/1.1\nHost: here\n\n" },
      { "deaf", "cut", "a request came too slowly", post("Content-Length: 9", "x") },
    }
    for _, limit in ipairs(limits) do
      local mode, kind, message, request = table.unpack(limit)
      local ended = wait_over(storm.rage(t, d, { mode, count }, { "-r", request }))
      assert.equal(count, ended[kind], message)
    end
    local ended = wait_over(storm.rage(t, d, { "half", 3 * count }, { "-r", get "/slow" }))
    assert.equal(3 * count, ended["200"] + ended["503"])
    assert.is_true(ended["200"] >= 100 and ended["503"] > 0)
    assert_nothing_left(d, before, requests)
    stop(d)
    for _, limit in ipairs(limits) do assert_told_once(d, limit[3], count, since) end
    assert_told_once(d, "a request was refused: the service is at its limit", ended["503"], since)
  end))

  it("stops in time though 4,000 clients trickle", luvd.test(function(t)
    local count = clients(4000)
    local d = t:run(storm.http(t, { stop = "1s" }))
    local child = storm.rage(t, d, { "trickle", count }, { "-s", "4" })
    child:wait_output("out", "open")
    local begin = loop.now()
    d:signal "sigterm"
    d:wait_end()
    assert.is_true(loop.now() - begin < 1000 + storm.SLOWEST, loop.now() - begin .. " ms")
    d.child:wait()
    assert.equal(0, d.child.code, d.child.err)
    wait_over(child)
  end))

  it("answers the requests that run when it stops", luvd.test(function(t)
    local count = clients(500)
    local d = t:run(storm.http(t, { run = count }))
    local child = storm.rage(t, d, { "half", count }, { "-r", get "/slow" })
    d:wait_log "all run"
    d:signal "sigterm"
    assert.equal(count, wait_over(child)["200"])
    d:wait_end()
    d.child:wait()
    assert.equal(0, d.child.code, d.child.err)
  end))
end)
