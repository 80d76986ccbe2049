local net = require "luvd.net"
local testing = require "luvd.testing"
local uv = require "luv"

local file = "examples/proxy/proxy.lua"

-- What stands behind the proxy, in this process: says hello, then repeats what it is told.
local function upstream()
  local listener = assert(net.listen "tcp://127.0.0.1:0")
  net.serve(listener, function(conn)
    conn:write "hello\n"
    for bytes in conn:chunks() do conn:write(bytes) end
    conn:shutdown()
  end)
  return listener
end

local function read_all(conn)
  local parts = {}
  for bytes in conn:chunks { timeout = "10s" } do parts[#parts + 1] = bytes end
  return table.concat(parts)
end

for _, way in ipairs { "start", "simulate" } do
  describe("the proxy, with testing." .. way, function()
    local function start(address, listen)
      return testing[way](file, { user = false, chroot = false, config = { upstream = address }, listen = listen })
    end
    local function ask(proxy, bytes)
      local conn <close> = proxy:connect()
      conn:write(bytes)
      conn:shutdown()
      return read_all(conn)
    end

    it("passes bytes and the half-close on, both ways", function()
      local behind <close> = upstream()
      local proxy <close> = start(behind.address)
      assert.equal("hello\none\ntwo\n", ask(proxy, "one\ntwo\n"))
      assert.same({}, proxy:leaks())
    end)

    it("waits for a side that is slow", function()
      local behind <close> = upstream()
      local proxy <close> = start(behind.address)
      local bytes = ("0123456789abcdef"):rep(65536)
      local conn <close> = proxy:connect()
      local writer = require "luvd.task".spawn(function()
        conn:write(bytes)
        conn:shutdown()
      end)
      assert.equal("hello\n" .. bytes, read_all(conn))
      writer:wait()
    end)

    it("closes the client when there is no upstream, and says why", function()
      local behind = upstream()
      local address = behind.address
      behind:close()
      local proxy <close> = start(address)
      assert.equal("", ask(proxy, "x"))
      assert.matches("connection refused", proxy:wait_log "no upstream.*")
    end)

    it("lets nobody have more than max_per_peer connections", function()
      local behind <close> = upstream()
      local proxy <close> = start(behind.address, { front = { max_per_peer = 2 } })
      local one, two = proxy:connect(), proxy:connect()
      assert.equal("hello", one:read_line { timeout = "5s" })
      assert.equal("hello", two:read_line { timeout = "5s" })
      local ok, three = pcall(proxy.connect, proxy) -- refused here already, or at the first look
      if not ok then return assert.matches("connection reset", three) end
      local line, _, code = three:read_line { timeout = "5s" }
      assert.is_nil(line)
      assert.is_true(code == nil or code == "ECONNRESET", code)
    end)
  end)
end

describe("the proxy", function()
  it("reaches its upstream from an empty root, as nobody", function()
    if uv.getuid() ~= 0 then return pending "needs root" end
    local behind <close> = upstream()
    local proxy <close> = testing.start(file, { config = { upstream = behind.address } })
    local conn = proxy:connect()
    conn:write "x"
    conn:shutdown()
    assert.equal("hello\nx", read_all(conn))
  end)
end)
