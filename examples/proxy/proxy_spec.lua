local client = require "support.client"
local luvd = require "support.luvd"

describe("proxy", function()
  -- What stands behind the proxy: the echo example, with its banner.
  local function start(t, ...)
    local echo = t:start(t:example "echo", { "--set", "listen.echo=tcp://127.0.0.1:0", "--set",
      "name=" .. t.name .. "e" })
    local upstream = echo:address()
    local proxy = t:start(t:example "proxy", { "--set", "user=", "--set", "chroot=", "--set",
      "listen.front.address=tcp://127.0.0.1:0", "--set", "config.upstream=" .. upstream, ... })
    return proxy, echo
  end

  it("passes bytes and the half-close on, both ways", luvd.test(function(t)
    local proxy, echo = start(t)
    assert.equal("say something\none\ntwo\n", client.ask(proxy:address(), "one\ntwo\n"))
    proxy:stop()
    echo:stop()
  end))

  it("waits for a side that is slow", luvd.test(function(t)
    local proxy, echo = start(t)
    local bytes = ("0123456789abcdef"):rep(131072)
    assert.equal("say something\n" .. bytes, client.ask(proxy:address(), bytes))
    proxy:stop()
    echo:stop()
  end))

  it("closes the client when there is no upstream, and says why", luvd.test(function(t)
    local proxy, echo = start(t)
    echo:stop()
    assert.equal("", client.ask(proxy:address(), "x"))
    proxy:wait_log "no upstream"
    assert.matches("connection refused", proxy:log())
    proxy:stop()
  end))

  it("lets nobody have more than max_per_peer connections", luvd.test(function(t)
    local proxy, echo = start(t, "--set", "listen.front.max_per_peer=2")
    local one, two = client.connect(proxy:address()), client.connect(proxy:address())
    assert.equal("say something", one:read_line())
    assert.equal("say something", two:read_line())
    local three = client.connect(proxy:address())
    assert.is_nil(three and three:read_line())
    one:close()
    two:close()
    proxy:stop()
    echo:stop()
  end))
end)
