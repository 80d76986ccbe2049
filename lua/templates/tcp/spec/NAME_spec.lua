local testing = require "luvd.testing"

local file = "@NAME@.lua"
-- Whatever the daemon file says.
local changes = { config = { welcome = "say something" } }

describe("@NAME@", function()
  -- The real daemon, a process of its own with a free port. `<close>` ends it with the test.
  it("answers each line, and says goodbye", function()
    local daemon <close> = testing.start(file, changes)
    local conn <close> = daemon:connect()
    assert.equal("say something", conn:read_line())
    conn:write "hello\n"
    assert.equal("HELLO", conn:read_line { timeout = "2s" })
    assert.equal(0, daemon:stop().code)
    assert.equal("goodbye", conn:read_line())
  end)

  -- The same daemon inside this test, without process and port; its time passes when the test says so.
  it("has another welcome after a reload, and closes who is silent for five minutes", function()
    local daemon <close> = testing.simulate(file)
    assert.is_true(daemon:reload { config = { welcome = "what?" } })
    local conn <close> = daemon:connect()
    assert.equal("what?", conn:read_line())
    daemon.clock:advance "4m"
    conn:write "here\n"
    assert.equal("HERE", conn:read_line())
    daemon.clock:advance "5m"
    assert.is_nil(conn:read_line())
  end)
end)
