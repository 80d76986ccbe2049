-- `luvd console`: Lua inside a running daemon, with workers and without.

local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

local function file(n, keys) return services.echo(("workers = %d,\n  console = true,\n  %s"):format(n, keys or "")) end

-- What the console says of these texts.
local function console(t, d, ...)
  local arguments = { "console", d.file }
  for _, text in ipairs { ... } do
    arguments[#arguments + 1] = "-e"
    arguments[#arguments + 1] = text
  end
  return t:luvd(arguments)
end

local function type_into(child, text)
  child:write(text)
  return child:wait()
end

for _, n in ipairs { 0, 2 } do
  describe("luvd console of " .. (n == 0 and "a classic daemon" or "a daemon with workers"), function()
    it("evaluates expressions and statements", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      local result = console(t, d, "1 + 1", "x = { a = 'é' }", "x, daemon.name", "print('hi')")
      assert.same({ 0, '2\n{ a = "é" }\n' .. ("%q"):format(t.name) .. "\nhi\n", "" },
        { result.code, result.out, result.err })
      d:stop()
    end))

    it("sees the service's own state", luvd.test(function(t)
      local d = t:start(t:file(services.start([[service_answer = 42]], ("workers = %d, console = true,"):format(n))))
      assert.equal("42\n", console(t, d, "service_answer").out)
      assert.equal('"function"\n', console(t, d, "type(service.start)").out)
      d:stop()
    end))

    it("stops at the first error, with exit code 1", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      local result = console(t, d, "error 'no'", "print 'never'")
      assert.equal(1, result.code)
      assert.matches("console:1: no\n", result.err)
      assert.equal("", result.out)
      result = console(t, d, "return 1 +")
      assert.equal(1, result.code)
      assert.matches("near <eof>", result.err)
      d:stop()
    end))

    it("reads lines from a pipe, and a text of several lines as one", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      local result = type_into(t:spawn { luvd.binary, "console", d.file }, "for i = 1, 2 do\n  print(i)\nend\n\n'end'")
      assert.same({ 0, '1\n2\n"end"\n', "" }, { result.code, result.out, result.err })
      result = type_into(t:spawn { luvd.binary, "console", d.file }, "for i = 1, 2 do\n")
      assert.equal(1, result.code)
      assert.matches("near <eof>", result.err)
      d:stop()
    end))

    it("waits for what waits, while the service goes on", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      local waiting = t:spawn { luvd.binary, "console", d.file, "-e", "require 'luvd'.sleep(0.3) return 'slept'" }
      d:wait_log "sleep"
      assert.equal("running", d:status().state)
      assert.equal('"slept"\n', waiting:wait().out)
      d:stop()
    end))

    it("is refused unless the daemon file allows it", luvd.test(function(t)
      local d = t:start(t:file(services.echo(("workers = %d,"):format(n))))
      local result = console(t, d, "1")
      assert.equal(1, result.code)
      assert.matches("the daemon file does not allow a console: it needs console = true", result.err, 1, true)
      d:stop()
    end))

    it("is for root and the daemon's own user alone", luvd.root_test(function(t)
      local d = t:start(t:file(file(n, 'user = "nobody",')))
      local function as(uid)
        return t:luvd({ "console", d.file, "-e", "1" }, { uid = uid, gid = uid, cwd = "/" })
      end
      assert.equal("1\n", as(luvd.nobody).out)
      local result = as(1)
      assert.equal(1, result.code)
      assert.matches("permission denied: console is for root and the daemon's own user", result.err, 1, true)
      d:stop()
    end))

    it("is noted in the log: who, where and what", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      console(t, d, "return 'noted'")
      local uid = t.uid or uv.getuid()
      d:wait_log(("console of pid %%d+ %%(uid %d%%), worker 1 of generation 1: opened"):format(uid))
      d:wait_log "worker 1 of generation 1: return 'noted'"
      d:stop()
    end))

    it("survives consoles that vanish while Lua runs", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      for i = 1, 5 do
        local child = t:spawn { luvd.binary, "console", d.file, "-e", ("require 'luvd'.sleep(0.1, %d)"):format(i) }
        d:wait_log(("sleep%%(0.1, %d"):format(i))
        child:kill "sigkill"
        child:wait()
      end
      assert.equal("1\n", console(t, d, "1").out)
      d:stop()
    end))

    it("ends with the daemon", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      local child = t:spawn { luvd.binary, "console", d.file, "-e", "require 'luvd'.sleep(100)" }
      d:wait_log "sleep"
      d:stop()
      assert.equal(1, child:wait().code)
    end))

    it("at a terminal has a prompt, completes, and keeps its history for nobody else", luvd.test(function(t)
      local d = t:start(t:file(file(n)))
      local state = t.folder .. "/state"
      local child = t:spawn({ "/usr/bin/script", "-qec", "exec " .. luvd.binary .. " console " .. d.file, "/dev/null" },
        { more_env = { "XDG_STATE_HOME=" .. state, "TERM=dumb", "HOME=" .. t.folder } })
      child:wait_output("out", "> $")
      child:write "daemon.na\t\n"
      child:wait_output("out", ('"%s"'):format(t.name))
      child:write "for i = 1, 1 do\n"
      child:wait_output("out", ">> ")
      child:write "print(6 * 7)\n"
      child:write "end\n"
      child:wait_output("out", "\n42\r\n.*> $") -- before its prompt the terminal itself takes the end
      child:write "\4"
      assert.equal(0, child:wait().code)
      local history = state .. "/luvd/console_history"
      assert.equal(tonumber("600", 8), uv.fs_stat(history).mode & 4095)
      assert.equal(tonumber("700", 8), uv.fs_stat(state .. "/luvd").mode & 4095)
      assert.matches("daemon.name\n", proc.slurp(history))
      d:stop()
    end))
  end)
end

describe("luvd console", function()
  it("talks to the worker that is asked for", luvd.test(function(t)
    local d = t:start(t:file(file(3)))
    for worker = 1, 3 do
      local result = t:luvd { "console", d.file, "--worker", tostring(worker), "-e", "daemon.worker" }
      assert.equal(("%d\n"):format(worker), result.out)
    end
    local result = t:luvd { "console", d.file, "--worker", "4", "-e", "1" }
    assert.equal(1, result.code)
    assert.matches("there is no worker 4 that is ready", result.err)
    d:stop()
  end))

  it("goes on with another worker when its own has died", luvd.test(function(t)
    local d = t:start(t:file(file(2)))
    local child = t:spawn { luvd.binary, "console", d.file }
    child:write "daemon.worker\n"
    child:wait_output("out", "1\n")
    child:write "require 'luvd'.sleep(100)\n"
    d:wait_log "sleep"
    uv.kill(d:status().workers[1].pid, "sigkill")
    assert.equal(1, child:wait().code)
    assert.matches("the worker has ended", child.err)
    loop.wait_for("an answer", function() return console(t, d, "1").out == "1\n" end)
    d:stop()
  end))

  it("answers at length, and says when it leaves something out", luvd.test(function(t)
    local d = t:start(t:file(file(1)))
    assert.equal(100003, #console(t, d, "('x'):rep(100000)").out)
    local result = console(t, d, "('x'):rep(1000000)")
    assert.equal(0, result.code)
    assert.is_true(#result.out < 300000)
    assert.matches("more\n$", result.out)
    d:stop()
  end))

  it("says that a daemon does not run", luvd.test(function(t)
    local result = t:luvd { "console", t:file(services.echo()), "-e", "1" }
    assert.equal(3, result.code)
    assert.matches("not running", result.err)
  end))
end)
