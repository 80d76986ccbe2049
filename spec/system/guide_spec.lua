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
    assert.equal(7, count, "an example is new: try it below")
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
