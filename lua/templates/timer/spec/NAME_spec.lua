local testing = require "luvd.testing"

local file = "@NAME@.lua"

describe("@NAME@", function()
  -- The real daemon, a process of its own. `<close>` ends it with the test.
  it("says that it is there, again and again", function()
    local daemon <close> = testing.start(file, { config = { every = "10ms", message = "still here" } })
    daemon:wait_log "still here.*runs=1"
    daemon:wait_log "still here.*runs=2"
    assert.matches("done", daemon:stop().log)
  end)

  -- The same daemon inside this test; its time passes when the test says so, an hour in no time.
  it("runs as often as its config says, a new one too", function()
    local daemon <close> = testing.simulate(file, { config = { every = "10m", message = "still here" } })
    daemon.clock:advance "1h"
    daemon:wait_log "still here.*runs=6"
    assert.is_true(daemon:reload { config = { every = "1m" } })
    daemon.clock:advance "1h"
    daemon:wait_log "still here.*runs=66"
    local ok, message = daemon:reload { config = { every = "soon" } }
    assert.is_nil(ok)
    assert.matches("soon", message)
  end)
end)
