local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"

describe("echo", function()
  local function start(t)
    return t:start(t:example "echo", { "--set", "listen.echo=tcp://127.0.0.1:0" })
  end

  local function banner(d, t, text)
    t:file((proc.slurp(d.file):gsub('banner = "[^"]*"', ("banner = %q"):format(text))))
  end

  it("says its banner, then repeats what it is told", luvd.test(function(t)
    local echo = start(t)
    assert.equal("say something\none\ntwo\n", client.ask(echo:address(), "one\ntwo\n"))
    echo:stop()
  end))

  it("has a new banner after a reload, and who is connected stays connected", luvd.test(function(t)
    local echo = start(t)
    local conn = client.connect(echo:address())
    assert.equal("say something", conn:read_line())
    banner(echo, t, "well?")
    local verdict = echo:reload()
    assert.same({ 0, "" }, { verdict.code, verdict.err })
    assert.equal("well?\nx\n", client.ask(echo:address(), "x\n"))
    assert.equal("still here", conn:write("still here\n"):read_line())
    conn:close()
    echo:stop()
  end))

  it("reloads on SIGHUP", luvd.test(function(t)
    local echo = start(t)
    banner(echo, t, "well?")
    echo:signal "sighup"
    echo:wait_log "banner changed"
    assert.equal("well?\n", client.ask(echo:address()))
    echo:stop()
  end))

  it("refuses an empty banner, and keeps the old one", luvd.test(function(t)
    local echo = start(t)
    banner(echo, t, "")
    local verdict = echo:reload()
    assert.equal(1, verdict.code)
    assert.matches("config.banner must not be empty", verdict.err, 1, true)
    assert.equal("say something\n", client.ask(echo:address()))
    echo:stop()
  end))

  it("repeats a megabyte to a reader that is slow to begin", luvd.test(function(t)
    local echo = start(t)
    local bytes = ("0123456789abcdef"):rep(65536)
    assert.equal("say something\n" .. bytes, client.ask(echo:address(), bytes))
    echo:stop()
  end))
end)
