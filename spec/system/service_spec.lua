-- What a service meets inside the real binary: C modules, the memory cap, several addresses of one listener.

local client = require "support.client"
local luvd = require "support.luvd"
local services = require "support.services"
local uv = require "luv"

luvd.classic()

-- A C module that comes with the busted of Debian, so that it is there wherever these specs run.
local module = "term.core"
local library = "/usr/lib/x86_64-linux-gnu/lua/5.4/term/core.so"

local function absent()
  return function() pending("needs " .. library) end
end

local with_library = uv.fs_stat(library) and luvd or { test = absent, root_test = absent }

-- A port that nobody has.
local function free_port()
  local socket = uv.new_tcp()
  assert(socket:bind("127.0.0.1", 0))
  local port = socket:getsockname().port
  socket:close()
  return math.tointeger(port)
end

describe("a C module", function()
  it("is there by a literal require", with_library.test(function(t)
    local text = services.start [[daemon.log:info("it is a " .. type(core.isatty))]]
    local d = t:start(t:file(("local core = require %q\n"):format(module) .. text))
    d:wait_log "it is a function"
    d:stop()
  end))

  it("is there by lua.preload, under a name that is made at run time", with_library.test(function(t)
    local d = t:start(t:file(services.start([[
      local name = ("core term"):gsub("(%w+) (%w+)", "%2.%1")
      daemon.log:info("it is a " .. type(require(name).isatty))]], ("lua = { preload = { %q } },"):format(module))))
    d:wait_log "it is a function"
    d:stop()
  end))

  it("works in an empty root as nobody, loaded at start or only in a handler", with_library.root_test(function(t)
    local keys = ([[user = "nobody", chroot = "auto", lua = { preload = { %q, "lfs" } },]]):format(module)
    local d = t:start(t:file(services.eval(keys)))
    assert.equal("function", client.ask(d:address(), [[type(require "term.core".isatty)]] .. "\n"):match "%S+")
    assert.equal("table", client.ask(d:address(), [[type(require "lfs")]] .. "\n"):match "%S+")
    assert.equal("directory", client.ask(d:address(), [[require "lfs".attributes("/", "mode")]] .. "\n"):match "%S+")
    d:stop()
  end))

  it("that is not in the bundle is refused, and the message says what to do", luvd.test(function(t)
    local d = t:start(t:file(services.start([[daemon.log:info(select(2, pcall(require, "ter" .. "m.core")))]])))
    d:wait_log [[module "term%.core" is not in the bundle: name it in lua%.preload]]
    d:stop()
  end))
end)

describe("lua.memory", function()
  local big = [[local held = {}
      for i = 1, 1e6 do held[i] = ("x"):rep(1000) .. i end]]
  local service = ([[
local net, service = require "luvd.net", {}
local function fill()
  %s
end
function service.start(daemon)
  net.serve(daemon.listeners.web, function(conn)
    if conn:read_line() == "big" then fill() end
    conn:write(daemon.config.banner .. "\n")
  end)
end
function service.reload(daemon)
  if daemon.config.banner == "big" then fill() end
end
return service
]]):format(big)

  local function file(t, banner)
    t:file(service, "filler.lua")
    return t:file(([[return {
  lua = { memory = "8MiB" },
  config = { banner = %q },
  listen = { web = "tcp://127.0.0.1:0" },
  service = "./filler.lua",
}]]):format(banner))
  end

  it("ends the handler that hits it, with a traceback, and no other", luvd.test(function(t)
    local d = t:start(file(t, "one"))
    for _ = 1, 5 do
      assert.equal("", client.ask(d:address(), "big\n"))
      assert.equal("one\n", client.ask(d:address(), "small\n"))
    end
    d:wait_log "not enough memory.-stack traceback"
    assert.is_true(d:status().lua.memory <= 8 * 1024 * 1024)
    assert.equal(5, d:status().lua.failed)
    d:stop()
  end))

  it("refuses the reload that hits it; the next one is accepted", luvd.test(function(t)
    local d = t:start(file(t, "one"))
    file(t, "big")
    local verdict = d:reload()
    assert.equal(1, verdict.code)
    assert.matches("not enough memory", verdict.err)
    assert.equal("one\n", client.ask(d:address(), "small\n"))
    file(t, "two")
    assert.equal(0, d:reload().code)
    assert.equal("two\n", client.ask(d:address(), "small\n"))
    d:stop()
  end))

  it("fails the start that hits it", luvd.test(function(t)
    local result = t:failed_start(t:file(services.start(big, [[lua = { memory = "8MiB" },]])))
    assert.matches("not enough memory", result.err)
  end))
end)

describe("a listener", function()
  local answer = [[net.serve(daemon.listeners.web, function(conn)
        conn:write { conn.local_address, " of ", tostring(#conn.listener.addresses), "\n" }
      end)]]

  it("of a list serves all its addresses with one handler", luvd.test(function(t)
    local path = t.folder .. "/web.sock"
    local d = t:start(t:file(services.start(answer,
      ([[listen = { web = { address = { "tcp://127.0.0.1:0", "tcp://127.0.0.2:0", "unix:%s" } } },]]):format(path))))
    local listeners = d:status().listeners
    assert.equal(3, #listeners)
    for _, listener in ipairs(listeners) do
      assert.equal("web", listener.name)
      assert.equal(listener.address .. " of 3\n", client.ask(listener.address))
    end
    d:stop()
    assert.is_nil(uv.fs_stat(path))
    t:assert_nothing_left()
  end))

  it("of tcp://* serves both families on one port", luvd.test(function(t)
    local port = free_port()
    local d = t:start(t:file(services.start(answer, ([[listen = { web = "tcp://*:%d" },]]):format(port))))
    assert.equal(("tcp://127.0.0.1:%d of 2\n"):format(port), client.ask(("tcp://127.0.0.1:%d"):format(port)))
    assert.equal(("tcp://[::1]:%d of 2\n"):format(port), client.ask(("tcp://[::1]:%d"):format(port)))
    d:stop()
  end))

  it("of a list survives a reload", luvd.test(function(t)
    t:file([[
local net, service = require "luvd.net", {}

function service.start(daemon)
  net.serve(daemon.listeners.web, function(conn) conn:write(daemon.config.banner) end)
end
return service
]], "list.lua")
    local function file(banner)
      return t:file(([[return {
  config = { banner = %q },
  listen = { web = { address = { "tcp://127.0.0.1:0", "tcp://127.0.0.2:0" } } },
  service = "./list.lua",
}]]):format(banner))
    end
    local d = t:start(file "one")
    file "two"
    assert.equal(0, d:reload().code)
    for _, listener in ipairs(d:status().listeners) do
      assert.equal("two", client.ask(listener.address))
    end
    d:stop()
  end))
end)

describe("luvd.cron", function()
  it("knows the local time inside an empty root", luvd.root_test(function(t)
    local d = t:start(t:file(services.eval [[user = "nobody", chroot = "auto",
      environment = { set = { TZ = "Asia/Kolkata" } },]]))
    assert.equal("+0530\n", client.ask(d:address(), 'os.date "%z"\n'))
    assert.matches("^luvd.timer", client.ask(d:address(), 'luvd.cron("30 2 * * *", print)\n'))
    local answer = client.ask(d:address(), 'luvd.cron("0 24 * * *", print)\n')
    assert.matches('cron: hour "24": expected 0 to 23', answer, 1, true)
    d:stop()
  end))
end)
