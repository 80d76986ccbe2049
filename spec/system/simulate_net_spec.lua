-- Who talks to a simulated daemon: connections in memory, datagrams, http. This file itself runs under luvd.

local http = require "luvd.http"
local luvd = require "luvd"
local net = require "luvd.net"
local specimens = require "support.specimens"
local testing = require "luvd.testing"

local daemon_file = specimens.file
local with_start = specimens.with_start
local echo = specimens.echo

describe("a simulated listener", function()
  it("is bound nowhere, and says who connects", function()
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function(conn) conn:write(conn.peer .. " " .. conn.local_address .. "\n") end)]])
    local conn <close> = it:connect()
    assert.matches("^tcp://127%.0%.0%.1:%d+$", conn.local_address)
    assert.equal(it.address.it, conn.peer)
    assert.equal(conn.local_address .. " " .. conn.peer, conn:read_line())
    assert.is_nil((net.connect(it.address.it)))
  end)

  it("lets no more in than max_connections", function()
    local it <close> = testing.simulate(with_start(echo))
    local one, two, three = it:connect(), it:connect(), it:connect()
    one:write "1\n"
    two:write "2\n"
    three:write "3\n"
    assert.same({ "1", "2" }, { one:read_line(), two:read_line() })
    assert.equal("ETIMEDOUT", select(3, three:read_line { timeout = "20ms" }))
    assert.matches("max_connections", it:wait_log "max_connections are open")
    one:close()
    assert.equal("3", three:read_line())
  end)

  it("closes who is idle for idle_timeout", function()
    local it <close> = testing.simulate(with_start(echo))
    local conn = it:connect()
    it.clock:advance "4m"
    conn:write "still here\n"
    assert.equal("still here", conn:read_line())
    it.clock:advance "4m"
    conn:write "again\n"
    assert.equal("again", conn:read_line())
    it.clock:advance "301s"
    assert.is_nil(conn:read_line())
    assert.matches("idle_timeout", it:wait_log "idle for idle_timeout")
  end)

  it("times a read out by its clock", function()
    local it <close> = testing.simulate(with_start [[
      net.serve(daemon.listeners.it, function(conn)
        local line, _, code = conn:read_line { timeout = "30s" }
        conn:write((line or code) .. "\n")
      end)]])
    local conn = it:connect()
    it.clock:advance "29s"
    assert.equal("ETIMEDOUT", select(3, conn:read_line { timeout = "10ms" }))
    it.clock:advance "1s"
    assert.equal("ETIMEDOUT", conn:read_line())
  end)

  it("refuses who comes when it stops", function()
    local it <close> = testing.simulate(with_start(echo))
    it:stop()
    assert.has_error(function() it:connect() end)
  end)

  it("has a name that is known", function()
    local it <close> = testing.simulate(with_start(echo))
    assert.has_error(function() it:connect "web" end, "no listener 'web'; there are: it")
  end)
end)

describe("the services of the examples", function()
  it("chat talks over connections in memory", function()
    local chat <close> = testing.simulate("examples/chat/chat.lua")
    local function join(nick)
      local conn = chat:connect()
      assert.equal("nick?", conn:read_line())
      conn:write(nick .. "\n")
      assert.equal("+ " .. nick, conn:read_line())
      return conn
    end
    local ann, bob = join "ann", join "bob"
    assert.equal("+ bob", ann:read_line())
    ann:write "hi\r\n"
    assert.equal("ann: hi", bob:read_line())
    bob:close()
    assert.equal("- bob", ann:read_line { timeout = "1s" })
    assert.equal(0, chat:stop().code)
    assert.equal("! the server leaves", ann:read_line())
    assert.is_nil(ann:read_line())
  end)

  it("stats counts datagrams and writes its file", function()
    local stats <close> = testing.simulate("examples/stats/stats.lua")
    local socket <close> = stats:connect()
    assert.is_true(socket:send "hits:1|c")
    assert.is_true(socket:send "hits:2|c\nmisses:1.5|c")
    stats.clock:advance "10s"
    local file <close> = assert(io.open(stats.folder .. "/series.file"))
    local lines = { file:read "l", file:read "l" }
    table.sort(lines)
    assert.matches("^hits 3 %d+$", lines[1])
    assert.matches("^misses 1.5 %d+$", lines[2])
    socket:send "last:1|c"
    stats:stop()
    assert.matches("last 1 ", file:read "a")
  end)

  it("hello answers http", function()
    local hello <close> = testing.simulate("examples/hello/hello.lua")
    local conn = hello:connect "web"
    conn:write "GET /you HTTP/1.1\r\nHost: it\r\n\r\n"
    local head = {}
    for line in conn:lines() do
      if line == "" then break end
      head[#head + 1] = line
    end
    assert.equal("HTTP/1.1 200 OK", head[1])
    assert.equal("hello /you", conn:read_line())
  end)

  it("proxy reaches a server of the test", function()
    local upstream <close> = net.listen "tcp://127.0.0.1:0"
    net.serve(upstream, function(conn) conn:write(conn:read_line() .. " back\n") end)
    local proxy <close> = testing.simulate("examples/proxy/proxy.lua", { config = { upstream = upstream.address } })
    local conn = proxy:connect()
    conn:write "there and\n"
    assert.equal("there and back", conn:read_line())
    assert.is_nil(conn:read_line())
    upstream:close()
    local refused = proxy:connect()
    assert.is_nil(refused:read_line())
    assert.matches("no upstream", proxy:wait_log "no upstream")
  end)
end)

describe("a simulated service of datagrams", function()
  it("answers whoever has asked", function()
    local it <close> = testing.simulate(daemon_file [[
local net, luvd = require "luvd.net", require "luvd"
local peers = {}
return { name = "it", listen = { it = "udp://127.0.0.1:53" }, service = { start = function(daemon)
  net.serve(daemon.listeners.it, function(socket)
    for bytes, peer in socket:packets() do
      peers[bytes] = peer
      socket:send("you are " .. peer, peer)
      if peers.first then socket:send("and " .. bytes, peers.first) end
    end
  end)
end } }]])
    local one <close> = it:connect()
    local two <close> = it:connect()
    one:send "first"
    assert.equal("you are " .. one.local_address, one:receive())
    assert.equal("and first", one:receive())
    two:send "second"
    assert.equal("you are " .. two.local_address, two:receive { timeout = "1s" })
    assert.equal("and second", one:receive { timeout = "1s" })
    assert.matches("^udp://127%.0%.0%.1:%d+$", one.local_address)
    one:close()
    two:send "third"
    assert.equal("you are " .. two.local_address, two:receive { timeout = "1s" })
  end)
end)

-- Requests of a client that cannot be given a connection: a server of the test stands in between.
describe("a simulated web service", function()
  it("is asked by luvd.http through a door of the test", function()
    local hello <close> = testing.simulate("examples/hello/hello.lua")
    local door <close> = net.listen "tcp://127.0.0.1:0"
    net.serve(door, function(client)
      local inner <close> = hello:connect()
      inner:write(client:read_until "\r\n\r\n" .. "\r\n\r\n")
      inner:shutdown()
      for bytes in inner:chunks() do client:write(bytes) end
    end)
    local response = assert(http.request(door.address:gsub("^tcp", "http") .. "/door", { pool = false }))
    assert.equal("hello /door\n", response:body())
    assert.is_true(luvd.now() > 0)
  end)
end)
