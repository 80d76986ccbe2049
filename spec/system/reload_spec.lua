local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

-- A service that greets with its config and who it is; what it does besides is in config or at PLACE.
local greeter = [[
local luvd, net = require "luvd", require "luvd.net"
local service = {}
function service.start(daemon)
  --PLACE
  for _, listener in pairs(daemon.listeners) do
    net.serve(listener, function(conn)
      conn:write(("%s of %d by %d\n"):format(daemon.config.banner, daemon.worker, VERSION))
    end)
  end
end
function service.reload(daemon, change)
  if daemon.worker == daemon.config.refuses then error("worker 2 does not want it", 0) end
end
return service
]]

local function code(t, version, place)
  t:file((greeter:gsub("VERSION", tostring(version)):gsub("%-%-PLACE", place or "")), "greeter.lua")
end

-- keys stand on line 4.
local function file(t, banner, keys)
  return t:file(([[
return {
  service = "./greeter.lua", user = %s,
  listen = { web = "tcp://127.0.0.1:0" }, config = { banner = %q, refuses = %s },
  %s
}
]]):format(luvd.root and '"root"' or "nil", banner or "one", banner == "bad" and 2 or "nil", keys or "workers = 2,"))
end

local function start(t, keys)
  code(t, 1)
  return t:start(file(t, "one", keys))
end

local function greeting(d, name)
  return (client.ask(d:address(name)):gsub("%s+$", ""))
end

-- What several connections are told, each once.
local function greetings(d, count)
  local told = {}
  for _ = 1, count or 10 do told[greeting(d):gsub(" of %d+", "")] = true end
  local list = {}
  for text in pairs(told) do list[#list + 1] = text end
  table.sort(list)
  return list
end

-- Refused, with words, and everything is as before.
local function assert_refused(d, words, code_of_exit)
  local before = d:status()
  local verdict = d:reload()
  assert.equal(code_of_exit or 1, verdict.code)
  for _, text in ipairs(type(words) == "table" and words or { words }) do
    assert.matches(text, verdict.err, 1, true)
  end
  assert.same({ "one by 1" }, greetings(d))
  local after = d:status()
  assert.equal(before.pid, after.pid)
  return verdict
end

describe("a reload of a daemon with workers", function()
  it("takes config in place, in every worker, and says how long it took", luvd.test(function(t)
    local d = start(t)
    file(t, "two")
    local verdict = d:reload()
    assert.same({ 0, "" }, { verdict.code, verdict.err })
    assert.matches("reloaded in %d+ ms: config.banner", verdict.out)
    assert.same({ "two by 1" }, greetings(d))
    assert.matches("config.banner", d:status().reload.text, 1, true)
    d:stop()
  end))

  it("takes code by a new generation", luvd.test(function(t)
    local d = start(t)
    code(t, 2)
    file(t, "two")
    local verdict = d:reload()
    assert.same({ 0, "" }, { verdict.code, verdict.err })
    assert.matches("generation 2 in %d+ ms: config.banner, service", verdict.out)
    assert.same({ "two by 2" }, greetings(d))
    d:stop()
  end))

  it("has its verdict when nobody meets the old code any more", luvd.test(function(t)
    local d = start(t)
    local address = d:address()
    for generation = 2, 21 do
      code(t, generation)
      assert.equal(0, d:reload().code)
      assert.matches("by " .. generation, client.ask(address, ""))
    end
    d:stop()
  end))

  it("gives a worker that dies later the daemon file in force", luvd.test(function(t)
    local d = start(t, "workers = 1,")
    file(t, "two", "workers = 1,")
    assert.equal(0, d:reload().code)
    local pid = d:status().workers[1].pid
    assert(uv.kill(math.tointeger(pid), "sigkill"))
    loop.wait_for("another worker", function()
      local workers = d:status().workers
      return workers[1] and workers[1].pid ~= pid and workers[1].state == "ready"
    end)
    assert.same({ "two by 1" }, greetings(d))
    d:stop()
  end))

  it("changes the number of workers", luvd.test(function(t)
    local d = start(t)
    file(t, "one", "workers = 3,")
    assert.matches("generation 2 in %d+ ms: workers", d:reload().out)
    loop.wait_for("three workers", function() return #d:status().workers == 3 end)
    d:stop()
  end))

  it("says that nothing has changed", luvd.test(function(t)
    local d = start(t)
    assert.matches("reloaded in %d+ ms: nothing has changed", d:reload().out)
    d:stop()
  end))

  it("binds the listeners that are new and closes those that are gone", luvd.test(function(t)
    local d = start(t)
    local web = d:address "web"
    local room = "unix:" .. t.folder .. "/room"
    t:file(([[
return { service = "./greeter.lua", user = %s, config = { banner = "one" }, workers = 2,
  listen = { web = "tcp://127.0.0.1:0", room = %q } }
]]):format(luvd.root and '"root"' or "nil", room))
    assert.matches("generation 2 in %d+ ms: listen.room", d:reload().out)
    assert.equal(web, d:address "web")
    assert.equal("one of", client.ask(room):match "^one of")
    file(t, "one")
    assert.matches("generation 3 in %d+ ms: listen.room", d:reload().out)
    assert.same({ nil, "ENOENT" }, { client.connect(room) })
    assert.same({ "one by 1" }, greetings(d))
    d:stop()
  end))

  it("keeps the sockets of reuseport, one for each worker", luvd.test(function(t)
    code(t, 1)
    local text = ([[
return { service = "./greeter.lua", user = %s, config = { banner = "one" }, workers = WORKERS,
  listen = { web = { address = "tcp://127.0.0.1:0", reuseport = true } } }
]]):format(luvd.root and '"root"' or "nil")
    local d = t:start(t:file((text:gsub("WORKERS", "2"))))
    local web = d:address "web"
    local seen = {}
    loop.wait_for("both workers to be asked", function()
      seen[greeting(d):match "of (%d)"] = true
      return seen["1"] and seen["2"]
    end)
    code(t, 2)
    assert.matches("generation 2", d:reload().out)
    assert.equal(web, d:address "web")
    assert.same({ "one by 2" }, greetings(d))
    t:file((text:gsub("WORKERS", "3")))
    local verdict = d:reload()
    assert.equal(1, verdict.code)
    assert.matches("needs restart: workers", verdict.err, 1, true)
    assert.same({ "one by 2" }, greetings(d))
    d:stop()
  end))

  it("lets a connection that is kept have its next answer", luvd.test(function(t)
    local text = [[
return {
  service = "./web.lua", user = %s, workers = 1,
  listen = { web = "tcp://127.0.0.1:0" },
}
]]
    local web = [[
local http = require "luvd.http"
return { start = function(daemon)
  http.serve(daemon.listeners.web, function() return "VERSION" end)
end }
]]
    t:file((web:gsub("VERSION", "old")), "web.lua")
    local d = t:start(t:file(text:format(luvd.root and '"root"' or "nil")))
    local kept = assert(client.connect(d:address()))
    local function ask()
      kept:write "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
      local head = {}
      for line in function() return kept:read_line() end do
        if line == "" then break end
        head[#head + 1] = line:lower()
      end
      return kept:read_exactly(3), table.concat(head, "\n")
    end
    assert.equal("old", (ask()))
    t:file((web:gsub("VERSION", "new")), "web.lua")
    assert.matches("generation 2", d:reload().out)
    -- It may still be asked once or twice before the worker knows that it drains.
    loop.wait_for("the last answer", function()
      local body, head = ask()
      assert.equal("old", body)
      return head:find("connection: close", 1, true)
    end)
    kept:read_all()
    kept:close()
    kept = assert(client.connect(d:address()))
    assert.equal("new", (ask()))
    kept:close()
    d:stop()
  end))

  it("waits while as many generations live as may", luvd.test(function(t)
    local text = [[
return {
  service = "./greeter.lua", user = %s, workers = 1, generations = 2, timeouts = { drain = "30s" },
  listen = { web = "tcp://127.0.0.1:0", slow = "unix:slow" }, config = { banner = "one" },
}
]]
    local slow = (greeter:gsub("conn:write", "if conn:read_line() then end conn:write"))
    t:file((slow:gsub("VERSION", "1")), "greeter.lua")
    local d = t:start(t:file(text:format(luvd.root and '"root"' or "nil")))
    local held = assert(client.connect("unix:" .. t.folder .. "/slow"))
    code(t, 2)
    assert.matches("generation 2", d:reload().out)
    code(t, 3)
    local third = t:spawn { luvd.binary, "reload", d.file }
    loop.wait_for("the third to wait", function() return d:status().state == "renewing" end)
    assert.same({ "one by 2" }, greetings(d))
    assert.is_nil(third.code)
    held:write "\n"
    assert.matches("^one of 1 by 1", held:read_line())
    held:close()
    loop.wait_for("the verdict", function() return third.code end)
    assert.matches("generation 3", third.out)
    assert.same({ "one by 3" }, greetings(d))
    d:stop()
  end))

  it("works for a confined one, which reads nothing itself", luvd.root_test(function(t)
    local function confined(banner)
      return t:file(([[
return {
  service = "./greeter.lua", user = "nobody", chroot = "auto", workers = 2,
  listen = { web = "tcp://127.0.0.1:0" }, config = { banner = %q },
}
]]):format(banner))
    end
    code(t, 1)
    local d = t:start(confined "one")
    confined "two"
    assert.matches("reloaded in", d:reload().out)
    assert.same({ "two by 1" }, greetings(d))
    code(t, 2)
    assert.matches("generation 2", d:reload().out)
    assert.same({ "two by 2" }, greetings(d))
    d:stop()
  end))

  it("collapses a burst of HUPs; the last daemon file is in force", luvd.test(function(t)
    local d = start(t)
    for i = 1, 50 do
      file(t, "number " .. i)
      d:signal "sighup"
    end
    loop.wait_for("the last one", function() return greeting(d):match "^number 50 " end)
    assert.same({ "number 50 by 1" }, greetings(d))
    local _, rounds = d:log():gsub("reloaded in", "")
    assert.is_true(rounds < 50)
    d:stop()
  end))
end)

describe("a broken reload of a daemon with workers", function()
  it("of wrong syntax names the line", luvd.test(function(t)
    local d = start(t)
    t:file "return {\n  workers = 2,\n  umask = = 5 }"
    assert_refused(d, t.name .. ".lua:3", 2)
    d:signal "sighup"
    d:wait_log "SIGHUP from.-reload refused: .-%.lua:3"
    d:stop()
  end))

  it("with a key that there is not names it", luvd.test(function(t)
    local d = start(t)
    file(t, "one", "worker = 2,")
    assert_refused(d, { t.name .. ".lua:4: worker: no such key", [[did you mean "workers"]] }, 2)
    d:stop()
  end))

  it("without a module that it needs names it", luvd.test(function(t)
    local d = start(t)
    t:file("require 'nowhere.at.all'\n" .. greeter, "greeter.lua")
    assert_refused(d, { "greeter.lua:1", "nowhere.at.all" }, 2)
    d:stop()
  end))

  it("whose start raises shows the traceback", luvd.test(function(t)
    local d = start(t)
    code(t, 2, 'error "this start is no good"')
    assert_refused(d, { "this start is no good", "greeter.lua:4" })
    d:stop()
  end))

  it("whose start hangs is given up after timeouts.start", luvd.test(function(t)
    local d = start(t, "workers = 2, timeouts = { start = '10s' },")
    code(t, 2, 'luvd.sleep "1h"')
    file(t, "one", "workers = 2, timeouts = { start = '300ms' },")
    assert_refused(d, "300ms")
    d:stop()
  end))

  it("whose start spins is given up after timeouts.start", luvd.test(function(t)
    local d = start(t)
    code(t, 2, "while true do end")
    file(t, "one", "workers = 2, timeouts = { start = '300ms' },")
    assert_refused(d, "300ms")
    d:stop()
  end))

  it("whose new port is taken names the entry", luvd.test(function(t)
    local d = start(t)
    local other = uv.new_tcp()
    assert(other:bind("127.0.0.1", 0))
    assert(other:listen(1, function() end))
    local port = math.tointeger(other:getsockname().port)
    t:file(([[
return { service = "./greeter.lua", user = %s, config = { banner = "one" }, workers = 2,
  listen = { web = "tcp://127.0.0.1:0",
    more = "tcp://127.0.0.1:%d" } }
]]):format(luvd.root and '"root"' or "nil", port))
    assert_refused(d, { t.name .. ".lua:3: listen.more: cannot bind", "address already in use" })
    other:close()
    d:stop()
  end))

  it("whose listener would overlap with one that is there needs a restart", luvd.test(function(t)
    local d = start(t)
    t:file(([[
return { service = "./greeter.lua", user = %s, config = { banner = "one" }, workers = 2,
  listen = { web = "tcp://0.0.0.0:%s" } }
]]):format(luvd.root and '"root"' or "nil", d:address():match ":(%d+)$"))
    assert_refused(d, { t.name .. ".lua:2: listen.web: needs restart", "overlaps" })
    d:stop()
  end))

  it("whose user is gone names it", luvd.root_test(function(t)
    local d = start(t)
    t:file [[
return { service = "./greeter.lua", config = { banner = "one" }, workers = 2,
  listen = { web = "tcp://127.0.0.1:0" },
  user = "luvd-nobody-of-this-name" }
]]
    assert_refused(d, { t.name .. ".lua:3: user: expected a user of this machine" })
    d:stop()
  end))

  it("that loops without end is stopped, and the limit named", luvd.test(function(t)
    local d = start(t)
    t:file "local n = 0\nwhile true do\n  n = n + 1\nend"
    local verdict = assert_refused(d, t.name .. ".lua", 2)
    assert.matches(".lua:[23]: the daemon file used more than %d s of", verdict.err)
    d:stop()
  end))

  it("is read by a process with limits and without privileges", luvd.test(function(t)
    local d = start(t, "workers = 2, timeouts = { reload = '5s' },")
    t:file "while true do end"
    local reading = t:spawn { luvd.binary, "reload", d.file }
    local function reads(pid)
      return (proc.slurp(("/proc/%d/cmdline"):format(pid)) or ""):find("^luvd%zloader%zresolve%z")
        and proc.status(pid).PPid[1] == tostring(d.pid)
    end
    local status, limits
    loop.wait_for("the loader", function()
      local pid = proc.find(reads)[1]
      status, limits = pid and proc.status(pid), pid and proc.slurp(("/proc/%d/limits"):format(pid))
      return status and limits and status.NoNewPrivs[1] == "1"
    end)
    assert.matches("Max cpu time%s+5%s+5", limits)
    if not luvd.sanitized then assert.matches("Max address space%s+805306368%s+805306368", limits) end
    local rights = luvd.root and "0000000000000004" or "0000000000000000" -- to read any file
    assert.equal(rights, status.CapEff[1])
    if luvd.root then assert.equal(rights, status.CapBnd[1]) end
    loop.wait_for("the verdict", function() return reading.code end, 10000)
    assert.equal(2, reading.code)
    assert.same({ "one by 1" }, greetings(d))
    d:stop()
  end))

  it("that one of several workers refuses gives the others the old config back", luvd.test(function(t)
    local d = start(t)
    file(t, "bad")
    assert_refused(d, "worker 2 does not want it")
    d:stop()
  end))

  it("of which one of several workers cannot start leaves the old generation", luvd.test(function(t)
    local d = start(t)
    code(t, 2, 'if daemon.worker == 2 then error("not on this place", 0) end')
    assert_refused(d, "not on this place")
    loop.wait_for("the new generation to go", function() return #d:status().workers == 2 end)
    d:stop()
  end))

  it("of a key that outlives every worker names it", luvd.test(function(t)
    local d = start(t)
    file(t, "one", "workers = 2, pidfile = false,")
    assert_refused(d, "needs restart: pidfile")
    file(t, "one", "workers = 0,")
    assert_refused(d, "needs restart: workers")
    d:stop()
  end))

  it("does not keep a right one from coming after it", luvd.test(function(t)
    local d = start(t)
    t:file "return {"
    assert_refused(d, t.name .. ".lua:1", 2)
    code(t, 3)
    file(t, "three")
    assert.equal(0, d:reload().code)
    assert.same({ "three by 3" }, greetings(d))
    d:stop()
  end))
end)
