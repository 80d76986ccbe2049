-- A whole life under valgrind: no invalid access, nothing lost at the end.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local storm = require "support.storm"

luvd.classic()

local function assert_silent(t)
  local seen = 0
  for _, name in ipairs(proc.names(t.folder)) do
    local text = name:match "^valgrind%.%d+$" and proc.slurp(t.folder .. "/" .. name)
    for line in (text or ""):gmatch "[^\n]+" do
      assert.is_nil(line:match "^==%d+== %S" and not line:match "HEAP SUMMARY" and line:match "Invalid .*"
        or line:match "definitely lost: [1-9].*" or line:match "uninitialised.*", ("%s: %s"):format(name, line))
    end
    if text and text:match "ERROR SUMMARY" then
      seen = seen + 1
      assert.matches("ERROR SUMMARY: 0 errors", text)
    end
  end
  assert.is_true(seen > 0)
  return seen
end

describe("under valgrind #plain", function()
  local function wrapped(t, command, file)
    return { "/usr/bin/valgrind", "--trace-children=yes", "--leak-check=full", "--show-leak-kinds=definite",
      "--errors-for-leak-kinds=definite", "--log-file=" .. t.folder .. "/valgrind.%p", luvd.binary, command, file }
  end

  it("run serves, and stops without an error", luvd.test(function(t)
    local file = t:file(services.echo())
    local child = t:spawn(wrapped(t, "run", file))
    loop.wait_for("ready", function() return t:luvd({ "status", file }).code == 0 end, 60000)
    local d = t:attach(file)
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    child:kill "sigterm"
    child:wait(60000)
    assert.equal(0, child.code, child.err)
    assert_silent(t)
  end))

  it("start detaches, confines itself, serves and stops without an error", luvd.root_test(function(t)
    local file = t:file(services.echo [[user = "nobody", timeouts = { start = "60s" },]])
    local child = t:command(wrapped(t, "start", file), { within = 90000 })
    assert.equal(0, child.code, child.err)
    local d = t:attach(file)
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    t:luvd { "stop", file }
    proc.wait_end(d.pid, 60000)
    assert_silent(t)
  end))

  it("a monitor and its workers serve, are replaced, reload and stop without an error", luvd.root_test(function(t)
    local keys = [[workers = 1, user = "nobody", chroot = "auto", timeouts = { start = "60s" },]]
    local file = t:file(services.echo(keys))
    local child = t:command(wrapped(t, "start", file), { within = 90000 })
    assert.equal(0, child.code, child.err)
    local d = t:attach(file)
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    local function another(worker)
      return loop.wait_for("another worker", function()
        local ok, fresh = pcall(d.worker, d)
        return ok and fresh ~= worker and fresh
      end, 60000)
    end
    local worker = d:worker()
    d.test:command { "/bin/kill", "-TERM", tostring(worker) }
    worker = another(worker)
    t:file(services.echo(keys .. "umask = '077',")) -- by a new generation
    assert.equal(0, t:luvd({ "reload", file }, { within = 90000 }).code)
    another(worker)
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    t:luvd({ "stop", file }, { within = 60000 })
    proc.wait_end(d.pid, 60000)
    assert.is_true(assert_silent(t) >= 4) -- monitor and three workers; a loader and the launcher besides
  end))

  it("run serves hostile clients, and stops without an error", luvd.test(function(t)
    -- Under valgrind the limit cannot be changed.
    local file = storm.http(t, { nofile = false, serve = "header_timeout = '1s', write_timeout = '1s'" })
    local child = t:spawn(wrapped(t, "run", file))
    loop.wait_for("ready", function() return t:luvd({ "status", file }).code == 0 end, 60000)
    local d = t:attach(file)
    local storms = { storm.rage(t, d, { "deaf", 5 }, { "-r", storm.get "/large":rep(8) }),
      storm.rage(t, d, { "reset", 30 }, { "-r", storm.get "/stream" }),
      storm.rage(t, d, { "trickle", 30, "half", 30, "garbage", 30 },
        { "-r", storm.post("Content-Length: 5", "small") }) }
    for _, one in ipairs(storms) do storm.wait_over(one) end
    child:kill "sigterm"
    child:wait(60000)
    assert.equal(0, child.code, child.err)
    assert_silent(t)
  end))
end)
