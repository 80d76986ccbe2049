local task = require "luvd.task"
local testing = require "luvd.testing"

for _, way in ipairs { "start", "simulate" } do
  describe("echo, with testing." .. way, function()
    local echo
    before_each(function() echo = testing[way] "examples/echo/echo.lua" end)

    -- Sends bytes and their end, and gives all that comes back.
    local function ask(bytes)
      local conn <close> = echo:connect()
      local writer = task.spawn(function()
        conn:write(bytes)
        conn:shutdown()
      end)
      local parts = {}
      for chunk in conn:chunks { timeout = "10s" } do parts[#parts + 1] = chunk end
      writer:wait()
      return table.concat(parts)
    end

    it("says its banner, then repeats what it is told", function()
      assert.equal("say something\none\ntwo\n", ask "one\ntwo\n")
    end)

    it("has a new banner after a reload, and who is connected stays connected", function()
      local conn = echo:connect()
      assert.equal("say something", conn:read_line())
      assert.is_true(echo:reload { config = { banner = "well?" } })
      assert.equal("well?\nx\n", ask "x\n")
      conn:write "still here\n"
      assert.equal("still here", conn:read_line())
    end)

    it("refuses an empty banner, and keeps the old one", function()
      local ok, message = echo:reload { config = { banner = "" } }
      assert.is_nil(ok)
      assert.matches("config.banner must not be empty", message, 1, true)
      assert.equal("say something\n", ask "")
    end)

    it("repeats a megabyte to a reader that is slow to begin", function()
      local bytes = ("0123456789abcdef"):rep(65536)
      assert.equal("say something\n" .. bytes, ask(bytes))
    end)
  end)
end

describe("echo", function()
  local function slurp(path)
    local file <close> = assert(io.open(path))
    return file:read "a"
  end
  local text, service = slurp "examples/echo/echo.lua", slurp "examples/echo/service.lua"

  it("reloads on SIGHUP", function()
    local tree = testing.tree { ["echo.lua"] = text, ["service.lua"] = service }
    local echo <close> = testing.start(tree.path .. "/echo.lua")
    tree:write("echo.lua", (text:gsub('banner = "[^"]*"', 'banner = "well?"')))
    echo:signal "HUP"
    assert.equal("well?", echo:wait_log 'banner changed.* to="?([^" ]*)"?')
    assert.equal("well?", echo:connect():read_line())
  end)

  it("lets go of who says nothing for five minutes", function()
    local echo <close> = testing.simulate "examples/echo/echo.lua"
    local conn = echo:connect()
    assert.equal("say something", conn:read_line())
    echo.clock:advance "5m"
    assert.is_nil((conn:read_line()))
    assert.same({}, echo:leaks())
  end)
end)
