local client = require "support.client"
local luvd = require "support.luvd"
local uv = require "luv"

describe("proxy", function()
  -- What stands behind the proxy, in this process: says hello, then repeats what it is told.
  local function upstream(t)
    local server = uv.new_tcp()
    server:bind("127.0.0.1", 0)
    server:listen(16, function()
      local conn = uv.new_tcp()
      server:accept(conn)
      conn:write "hello\n"
      conn:read_start(function(problem, bytes)
        if bytes then
          conn:write(bytes)
        elseif problem then
          conn:close()
        else
          conn:shutdown(function() conn:close() end)
        end
      end)
    end)
    local address = "tcp://127.0.0.1:" .. server:getsockname().port
    local function stop()
      if not server:is_closing() then server:close() end
    end
    t:finally(stop)
    return address, stop
  end

  local function start(t, address, ...)
    return t:start(t:example "proxy", { "--set", "name=" .. t.name, "--set", "user=", "--set",
      "chroot=", "--set", "listen.front.address=tcp://127.0.0.1:0", "--set", "config.upstream=" .. address, ... })
  end

  it("passes bytes and the half-close on, both ways", luvd.test(function(t)
    local proxy = start(t, (upstream(t)))
    assert.equal("hello\none\ntwo\n", client.ask(proxy:address(), "one\ntwo\n"))
    proxy:stop()
  end))

  it("waits for a side that is slow", luvd.test(function(t)
    local proxy = start(t, (upstream(t)))
    local bytes = ("0123456789abcdef"):rep(131072)
    assert.equal("hello\n" .. bytes, client.ask(proxy:address(), bytes))
    proxy:stop()
  end))

  it("closes the client when there is no upstream, and says why", luvd.test(function(t)
    local address, close = upstream(t)
    close()
    local proxy = start(t, address)
    assert.equal("", client.ask(proxy:address(), "x"))
    proxy:wait_log "no upstream"
    assert.matches("connection refused", proxy:log())
    proxy:stop()
  end))

  it("lets nobody have more than max_per_peer connections", luvd.test(function(t)
    local proxy = start(t, (upstream(t)), "--set", "listen.front.max_per_peer=2")
    local one, two = client.connect(proxy:address()), client.connect(proxy:address())
    assert.equal("hello", one:read_line())
    assert.equal("hello", two:read_line())
    local three = client.connect(proxy:address())
    assert.is_nil(three and three:read_line())
    one:close()
    two:close()
    proxy:stop()
  end))

  it("reaches its upstream from an empty root, as nobody", luvd.root_test(function(t)
    local proxy = t:start(t:example "proxy", { "--set", "name=" .. t.name, "--set",
      "listen.front.address=tcp://127.0.0.1:0", "--set",
      "config.upstream=" .. upstream(t) })
    assert.equal("hello\nx", client.ask(proxy:address(), "x"))
    proxy:stop()
  end))
end)
