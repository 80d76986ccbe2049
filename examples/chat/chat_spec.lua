local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"

describe("chat", function()
  local function start(t, ...)
    return t:start(t:example "chat", { "--set", "name=" .. t.name, "--set", "user=", "--set",
      "chroot=", "--set", "listen.chat.address=tcp://127.0.0.1:0", ... })
  end

  local function join(chat, nick)
    local conn = client.connect(chat:address())
    assert.equal("nick?", conn:read_line())
    conn:write(nick .. "\n")
    assert.equal("+ " .. nick, conn:read_line())
    return conn
  end

  it("tells the others what one says", luvd.test(function(t)
    local chat = start(t)
    local ann, bob = join(chat, "ann"), join(chat, "bob")
    assert.equal("+ bob", ann:read_line())
    ann:write "hi\r\n"
    assert.equal("ann: hi", bob:read_line())
    ann:close()
    bob:close()
    chat:stop()
  end))

  it("refuses a nick that is taken, or is none", luvd.test(function(t)
    local chat = start(t)
    local ann = join(chat, "ann")
    assert.equal("nick?\nno\n", client.ask(chat:address(), "ann\n"))
    assert.equal("nick?\nno\n", client.ask(chat:address(), "a b\n"))
    assert.equal("nick?\nno\n", client.ask(chat:address(), ("x"):rep(65) .. "\n"))
    ann:close()
    chat:stop()
  end))

  it("tells who left", luvd.test(function(t)
    local chat = start(t)
    local ann, bob = join(chat, "ann"), join(chat, "bob")
    assert.equal("+ bob", ann:read_line())
    bob:close()
    assert.equal("- bob", ann:read_line())
    ann:close()
    chat:stop()
  end))

  it("goes on without one who does not read", luvd.test(function(t)
    local chat = start(t, "--set", "listen.chat.write_buffer=4KiB")
    local ann, deaf = join(chat, "ann"), join(chat, "deaf")
    assert.equal("+ deaf", ann:read_line())
    deaf.socket:read_stop()
    local lines = (("x"):rep(4000) .. "\n"):rep(50)
    repeat -- until all that the kernel keeps for the deaf one is full
      ann:write(lines)
      loop.wait_for("the chat to take it", function() return ann.socket:get_write_queue_size() == 0 end)
    until ann.received ~= ""
    assert.equal("- deaf", ann:read_line())
    ann:close()
    deaf:close()
    chat:stop()
  end))

  it("has a new welcome after a reload, and members stay", luvd.test(function(t)
    local chat = start(t)
    local ann = join(chat, "ann")
    t:file((proc.slurp(chat.file):gsub('welcome = "[^"]*"', 'welcome = "who are you?"')))
    assert.equal(0, chat:reload().code)
    local bob = client.connect(chat:address())
    assert.equal("who are you?", bob:read_line())
    bob:write "bob\n"
    assert.equal("+ bob", ann:read_line())
    ann:close()
    bob:close()
    chat:stop()
  end))

  it("says goodbye", luvd.test(function(t)
    local chat = start(t)
    local ann = join(chat, "ann")
    chat:stop()
    assert.equal("! the server leaves\n", ann:read_all())
    ann:close()
  end))

  it("is nobody in an empty root", luvd.root_test(function(t)
    local chat = t:start(t:example "chat", { "--set", "name=" .. t.name, "--set",
      "listen.chat.address=tcp://127.0.0.1:0" })
    local worker = chat:worker()
    assert.equal("65534", proc.status(worker).Uid[1])
    assert.same({}, proc.names(("/proc/%d/root/"):format(worker)))
    join(chat, "ann"):close()
    chat:stop()
  end))
end)
