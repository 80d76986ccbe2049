local testing = require "luvd.testing"

local file = "@NAME@.lua"

describe("@NAME@", function()
  -- The real daemon, a process of its own with a free port. `<close>` ends it with the test.
  it("counts words, and reports them at its end", function()
    local daemon <close> = testing.start(file)
    local socket <close> = daemon:connect()
    socket:send "hits"
    assert.equal("hits 1\n", socket:receive { timeout = "2s" })
    socket:send "hits"
    assert.equal("hits 2\n", socket:receive { timeout = "2s" })
    assert.matches("counted.*hits=2", daemon:stop().log)
  end)

  -- The same daemon inside this test, without process and port; its time passes when the test says so.
  it("reports as often as its config says", function()
    local daemon <close> = testing.simulate(file, { config = { every = "1h" } })
    local socket <close> = daemon:connect()
    socket:send "hits"
    assert.equal("hits 1\n", socket:receive())
    daemon.clock:advance "59m"
    assert.is_nil(daemon.log:find "counted")
    daemon.clock:advance "1m"
    daemon:wait_log "counted.*hits=1"
    local ok, message = daemon:reload { config = { every = "soon" } }
    assert.is_nil(ok)
    assert.matches("soon", message)
  end)
end)
