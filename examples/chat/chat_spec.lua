local testing = require "luvd.testing"
local uv = require "luv"

local file = "examples/chat/chat.lua"
local overrides = { user = false, chroot = false }

for _, way in ipairs { "start", "simulate" } do
  describe("the chat room, with testing." .. way, function()
    local chat
    before_each(function() chat = testing[way](file, overrides) end)
    after_each(function() chat:stop() end)

    local function join(nick)
      local conn = chat:connect()
      assert.equal("nick?", conn:read_line())
      conn:write(nick .. "\n")
      assert.equal("+ " .. nick, conn:read_line())
      return conn
    end

    it("tells the others what one says", function()
      local ann, bob = join "ann", join "bob"
      assert.equal("+ bob", ann:read_line())
      ann:write "hi\r\n"
      assert.equal("ann: hi", bob:read_line())
    end)

    it("refuses a nick that is taken, or is none", function()
      join "ann"
      for _, nick in ipairs { "ann", "a b", ("x"):rep(65) } do
        local other = chat:connect()
        other:read_line()
        other:write(nick .. "\n")
        assert.equal("no", other:read_line())
        assert.is_nil(other:read_line())
      end
    end)

    it("tells who left", function()
      local ann, bob = join "ann", join "bob"
      bob:close()
      assert.equal("+ bob", ann:read_line())
      assert.equal("- bob", ann:read_line { timeout = "1s" })
    end)

    it("has a new welcome after a reload, and members stay", function()
      local ann = join "ann"
      assert.is_true(chat:reload { config = { welcome = "who are you?" } })
      assert.equal("who are you?", chat:wait_log 'welcome changed.* to="([^"]*)"')
      local bob = chat:connect()
      assert.equal("who are you?", bob:read_line())
      bob:write "bob\n"
      assert.equal("+ bob", ann:read_line())
    end)

    it("says goodbye and leaves within a second", function()
      local ann = join "ann"
      assert.equal(0, chat:stop().code)
      assert.equal("! the server leaves", ann:read_line())
      assert.is_nil((ann:read_line()))
    end)
  end)
end

describe("the chat room", function()
  it("goes on without one who does not read", function()
    local chat <close> = testing.start(file, { user = false, chroot = false,
      listen = { chat = { write_buffer = "4KiB" } } })
    local ann, deaf = chat:connect(), chat:connect()
    for nick, conn in pairs { ann = ann, deaf = deaf } do
      conn:read_line()
      conn:write(nick .. "\n")
    end
    deaf:read_line()
    local lines = (("x"):rep(4000) .. "\n"):rep(50)
    testing.eventually(function() -- until all that the kernel keeps for the deaf one is full
      assert(ann:write(lines, { timeout = "5s" }))
      return ann:read_line { timeout = "1ms" } == "- deaf"
    end, "20s")
  end)

  it("lets go of who says nothing for half an hour", function()
    local chat <close> = testing.simulate(file, overrides)
    local ann = chat:connect()
    ann:read_line()
    ann:write "ann\n"
    assert.equal("+ ann", ann:read_line())
    chat.clock:advance "29m"
    ann:write "still here\n"
    chat.clock:advance "29m"
    assert.equal("ETIMEDOUT", select(3, ann:read_line { timeout = "1ms" }))
    chat.clock:advance "2m"
    assert.is_nil((ann:read_line()))
    assert.same({}, chat:leaks())
  end)

  it("waits thirty seconds for a nick", function()
    local chat <close> = testing.simulate(file, overrides)
    local conn = chat:connect()
    assert.equal("nick?", conn:read_line())
    chat.clock:advance "31s"
    assert.equal("no", conn:read_line())
    assert.is_nil((conn:read_line()))
  end)

  it("is nobody in an empty root", function()
    if uv.getuid() ~= 0 then return pending "needs root" end
    local chat <close> = testing.start(file)
    assert.equal(65534, chat:eval "math.tointeger(require 'luv'.getuid())")
    assert.same({}, chat:eval "require 'luvd.fs'.list '/'")
    assert.equal("nick?", chat:connect():read_line())
  end)
end)
