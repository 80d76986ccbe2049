-- What the guide shows, tried.

local blocks = require "support.blocks"
local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

local guide = proc.slurp "docs/guide.md"
local files, names, others = blocks.files(guide)

-- Writes all files of the guide and starts one of them.
local function start(t, name, ...)
  for _, one in ipairs(names) do t:file(files[one], one) end
  local d = t:start(t.folder .. "/" .. name, { "--set", "name=" .. t.name, ... })
  d.file = t.name
  return d
end

local function send(method, address, path, body)
  return client.ask(address, ("%s %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n%s"):format(method, path, #body, body))
end

local function post(...)
  return send("POST", ...)
end

-- Sends one datagram and returns the first that comes back, and where it was sent from.
local function exchange(address, bytes)
  local socket, answer = uv.new_udp(), nil
  socket:bind("127.0.0.1", 0)
  socket:recv_start(function(_, data) answer = answer or data end)
  socket:send(bytes, "127.0.0.1", math.tointeger(tonumber(address:match ":(%d+)$")), function() end)
  loop.wait_for("a datagram", function() return answer end)
  local own = ("udp://127.0.0.1:%d"):format(socket:getsockname().port)
  socket:close()
  return answer, own
end

-- What was printed stands in the guide too, but for numbers, folders and the daemon's name.
local plain_guide = blocks.plain(guide)

local function shows(text)
  text = blocks.plain(text):gsub("\n$", "")
  assert.is_truthy(plain_guide:find(text, 1, true), "the guide has another text than: " .. text)
end

describe("the guide", function()
  it("shows daemon files that are right, and Lua that Lua understands", luvd.test(function(t)
    local count = 0
    for _, name in ipairs(names) do t:file(files[name], name) end
    for _, name in ipairs(names) do
      assert(load(files[name], "=" .. name, "t"))
      if files[name]:find("\n  service = ", 1, true) then
        local result = t:luvd { "check", t.folder .. "/" .. name }
        assert.equal(0, result.code, result.err)
        count = count + 1
      end
    end
    assert.equal(9, count, "an example is new: try it below")
    for number, text in ipairs(others) do assert(load(text, "=block " .. number, "t")) end
  end))

  it("looks at many addresses at once", luvd.test(function(t)
    local closed, open = uv.new_tcp(), uv.new_tcp()
    local addresses = {}
    for i, socket in ipairs { closed, open } do
      socket:bind("127.0.0.1", 0)
      addresses[i] = ("tcp://localhost:%d"):format(socket:getsockname().port)
    end
    open:listen(1, function() end)
    local d = start(t, "ports.lua", "--set", "listen.report=tcp://127.0.0.1:0",
      "--set", ("config.addresses={ %q, %q }"):format(table.unpack(addresses)))
    local line = client.ask(d:address(), ""):gmatch "(%S+) ([^\n]+)\n"
    assert.same({ addresses[1], addresses[1] .. ": connection refused" }, { line() })
    assert.same({ addresses[2], "open" }, { line() })
    d:stop()
    closed:close()
    open:close()
  end))

  it("answers lines, and refuses a long one", luvd.test(function(t)
    local d = start(t, "upper.lua", "--set", "listen.door.address=tcp://127.0.0.1:0")
    assert.equal("ONE\nTWO\n", client.ask(d:address(), "one\ntwo\n"))
    assert.equal("ONE\ntoo long\n", client.ask(d:address(), "one\n" .. ("x"):rep(1025) .. "\n"))
    d:stop()
  end))

  it("tells a sender of datagrams its address", luvd.test(function(t)
    local d = start(t, "mirror.lua", "--set", "listen.mirror.address=udp://127.0.0.1:0")
    local answer, own = exchange(d:address(), "?")
    assert.equal(own, answer)
    d:stop()
  end))

  it("adds up by HTTP", luvd.test(function(t)
    local d = start(t, "sum.lua", "--set", "listen.web=tcp://127.0.0.1:0")
    local call, shown = guide:match "curl %-d '([^']+)' [^\n]+# ([^\n]+)\n"
    assert.equal(shown, post(d:address(), "/sum", call):match "\r\n\r\n(.*)$")
    assert.matches("^HTTP/1.1 404 ", post(d:address(), "/", "[]"))
    assert.matches("^HTTP/1.1 400 .*1:1: ", post(d:address(), "/sum", "x"))
    assert.matches("^HTTP/1.1 413 ", post(d:address(), "/sum", (" "):rep(65537)))
    assert.matches("^HTTP/1.1 500 ", post(d:address(), "/sum", '["x"]'))
    local answer = client.ask(d:address(), "GET /sum HTTP/1.0\r\n\r\n")
    assert.matches("^HTTP/1.1 405 .*\r\nAllow: POST\r\n", answer)
    d:stop()
    assert.matches("sum.lua:%d+: attempt to add", d:log())
    assert.matches("request .*status=405", d:log())
  end))

  it("chooses by path and method", luvd.test(function(t)
    local d = start(t, "users.lua", "--set", "listen.web=tcp://127.0.0.1:0", "--set", "config.pages=" .. t.folder)
    local address = d:address()
    assert.matches("^HTTP/1.1 404 .*no such user\n$", send("GET", address, "/users/7", ""))
    assert.matches("^HTTP/1.1 204 ", send("PUT", address, "/users/7", '{"name":"ann"}'))
    assert.matches('\r\n\r\n{"name":"ann"}$', send("GET", address, "/users/7", ""))
    assert.matches("^HTTP/1.1 400 .*expected an object\n$", send("PUT", address, "/users/7", "1"))
    assert.matches("^HTTP/1.1 405 .*\r\nAllow: GET, HEAD, OPTIONS, PUT\r\n", send("DELETE", address, "/users/7", ""))
    assert.equal(files["upper.lua"], send("GET", address, "/pages/upper.lua", ""):match "\r\n\r\n(.*)$")
    d:stop()
  end))

  it("knows the number of visits after a restart", luvd.test(function(t)
    local function visit(d) return client.ask(d:address(), "GET / HTTP/1.0\r\n\r\n"):match "\r\n\r\n(.*)$" end
    local d = start(t, "visits.lua", "--set", "listen.web=tcp://127.0.0.1:0")
    assert.equal("visit 1\n", visit(d))
    assert.equal("visit 2\n", visit(d))
    d:stop()
    d = start(t, "visits.lua", "--set", "listen.web=tcp://127.0.0.1:0")
    assert.equal("visit 3\n", visit(d))
    d:stop()
  end))

  it("beats, and in another period after a reload", luvd.test(function(t)
    local d = start(t, "beat.lua")
    t:file((files["beat.lua"]:gsub('"10m"', '"10ms"')), "beat.lua")
    assert.equal(0, d:reload().code)
    d:wait_log "beats=2"
    d:stop()
  end))

  it("tells what becomes of a reload", luvd.test(function(t)
    local d = start(t, "beat.lua")
    local worker = d:worker()
    local function reload(name, from, to)
      local text, count = files[name]:gsub(from, to)
      assert.equal(1, count, name)
      t:file(text, name)
      local result = d:reload()
      shows((result.out .. result.err):match(t.name .. ": (.*)"))
      return result.code
    end
    assert.equal(0, reload("beat.lua", '"10m"', '"5m"'))
    assert.equal(worker, d:worker())
    assert.equal(2, reload("beat.lua", "config", "confg"))
    assert.equal(1, reload("beat.lua", "return {", "return { pidfile = false,"))
    assert.equal(worker, d:worker())
    t:file((files["beat.lua"]:gsub('"10m"', '"5m"')), "beat.lua")
    assert.equal(1, reload("beater.lua", "(function service.start.-\n)", '%1 do return nil, "no database" end\n'))
    assert.equal(worker, d:worker())
    assert.equal(0, reload("beater.lua", "half past four", "half past"))
    assert.not_equal(worker, d:worker())
    d:stop()
  end))

  it("tells what becomes of an upgrade", luvd.test(function(t)
    t:own_binary()
    local d = start(t, "beat.lua")
    local function upgrade(bytes, mode, code)
      t:install(bytes, mode)
      local result = d:upgrade()
      assert.equal(code, result.code)
      shows((result.out .. result.err):match(t.name .. ": (.*)"))
    end
    upgrade(proc.slurp "/bin/true", "755", 1)
    if luvd.root then upgrade(nil, "777", 1) end
    upgrade(nil, "755", 0)
    d:stop()
  end))

  it("counts in each worker, and replaces one that dies until it dies too often", luvd.test(function(t)
    local d = start(t, "crew.lua", "--set", "listen.door=tcp://127.0.0.1:0", "--set", "restart={ limit = 3 }")
    local seen = {}
    for _ = 1, 20 do
      local worker, of, count = client.ask(d:address(), ""):match "^worker (%d) of (%d), connection (%d+)\n$"
      assert.equal("2", of)
      seen[worker] = (seen[worker] or 0) + 1
      assert.equal(tostring(seen[worker]), count)
    end
    for death = 1, 4 do
      local victim = loop.wait_for("worker 1", function()
        local worker = d:status().workers[1]
        return worker.state == "ready" and worker.restarts == death - 1 and worker.pid
      end)
      uv.kill(victim, "sigkill")
      local line = d:wait_log(("worker 1 %%(pid %d%%) was killed by signal 9 %%(SIGKILL%%) after "):format(victim))
      shows(line:match "worker 1 %(pid %d+%) was killed by signal 9 %(SIGKILL%) after")
    end
    d:wait_end()
    for _, line in ipairs { "worker 1 is restarted in %d+", "worker 1 died 4 times within 1m: the daemon stops" } do
      shows(d:log():match(line) or line)
    end
  end))

  it("has the defaults of restart as luvd help has them", luvd.test(function(t)
    local rows = 0
    for keys, values in guide:match("\n(| `policy` |.-\n)\n"):gmatch "| (`[%w_`, ]+) | ([^|]+) |" do
      local next_value = values:gmatch "[^%s,]+"
      for key in keys:gmatch "`([%w_]+)`" do
        local default = t:luvd({ "help", "restart." .. key }).out:match "default +([^\n]+)"
        assert.equal((default:gsub("[\"()]", "")), (next_value():gsub("[\"`]", "")), key)
        rows = rows + 1
      end
    end
    assert.equal(7, rows)
  end))

  it("tells of Lua that keeps the loop, and ends it", luvd.test(function(t)
    local d = start(t, "primes.lua", "--set", "listen.door=tcp://127.0.0.1:0", "--set", "lua.abort=600ms")
    assert.equal("25\n", client.ask(d:address(), "100\n"))
    assert.equal("", client.ask(d:address(), "999999999\n"))
    shows(d:wait_log "(Lua has run for %d+ms without giving way %(lua.slice%) task=connection\n.-in function <[^>]+>)")
    shows(d:wait_log "(primes.lua:%d+: aborted: Lua has run for )")
    assert.equal("25\n", client.ask(d:address(), "100\n"))
    d:stop()
  end))

  it("says what check warns of in a classic daemon", luvd.root_test(function(t)
    local file = t:file(files["crew.lua"], "crew.lua")
    local result = t:luvd { "check", file, "--set", "workers=0", "--set", "chroot=auto" }
    assert.equal(0, result.code)
    shows(assert(result.err:match "chroot: (reload will be refused[^\n]+)"))
  end))

  it("lets itself be looked into", luvd.test(function(t)
    local d = start(t, "counter.lua", "--set", "listen.lines=tcp://127.0.0.1:0")
    client.ask(d:address(), "one\ntwo\n")
    loop.wait_for("two lines", function()
      return t:luvd({ "console", d.file, "-e", "service.lines()" }).out == "2\n"
    end)
    assert.matches("luvd_accepted_total{.*} 1\n", t:luvd({ "status", d.file, "--metrics" }).out)
    assert.equal(0, t:luvd({ "status", d.file, "--audit" }).code)
    d:stop()
  end))

  it("says truly what JSON becomes", luvd.test(function(t)
    local text
    for _, one in ipairs(others) do text = one:find("luvd.json", 1, true) and one or text end
    local d = t:start(t:file(("return { service = { start = function()\n%s\nend } }"):format(text)))
    d:stop()
  end))
end)
