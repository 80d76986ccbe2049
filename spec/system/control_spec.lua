local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

luvd.classic()

describe("luvd status", function()
  it("shows pid, state, uptime, listeners, connections, memory and reload", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    local conn = client.connect(d:address())
    conn:write "x\n"
    conn:read_line()
    local status = d:status()
    assert.equal(t.name, status.name)
    assert.equal(d.pid, status.pid)
    assert.is_string(status.state)
    assert.is_number(status.uptime)
    assert.equal("web", status.listeners[1].name)
    assert.matches("^tcp://127.0.0.1:%d+$", status.listeners[1].address)
    assert.equal(1, status.listeners[1].connections)
    assert.is_not_nil(status.memory)
    local text = t:luvd({ "status", d.file }).out
    for _, word in ipairs { t.name, tostring(d.pid), status.listeners[1].address } do
      assert.matches(word, text, 1, true)
    end
    conn:close()
    d:stop()
  end))

  it("shows the description", luvd.test(function(t)
    local d = t:start(t:file(services.echo [[description = "repeats what it is told",]]))
    assert.equal("repeats what it is told", d:status().description)
    assert.matches("description +repeats what it is told\n", t:luvd({ "status", d.file }).out)
    d:stop()
  end))

  it("shows what the service says of itself", luvd.test(function(t)
    local d = t:start(t:file(services.start [[luvd.status "all is well"]]))
    assert.matches("all is well", t:luvd({ "status", d.file }).out)
    d:stop()
  end))

  it("exits with 1 for a daemon that died and left its record, and stop cleans up", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    d:signal "sigkill"
    d:wait_end()
    local result = t:luvd { "status", d.file }
    assert.equal(1, result.code)
    assert.matches("dead", result.out .. result.err)
    t:luvd { "stop", d.file }
    assert.equal(3, t:luvd({ "status", d.file }).code)
    t:assert_nothing_left()
  end))

  it("does not take the lock that it asks for", luvd.test(function(t)
    local file = t:file(services.echo())
    local d = t:start(file)
    d:stop()
    local asking = {}
    for i = 1, 20 do asking[i] = t:spawn { luvd.binary, "status", file } end
    t:start(file):stop()
    for _, child in ipairs(asking) do child:wait() end
  end))
end)

describe("the control socket", function()
  local function as_nobody(t, ...)
    return t:luvd({ ... }, { uid = luvd.nobody, gid = luvd.nobody, cwd = "/" })
  end

  it("refuses a stranger: status exits with 4", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo [[user = "daemon",]]))
    for _, command in ipairs { "status", "stop", "reload", "logs" } do
      local result = as_nobody(t, command, d.file)
      assert.not_equal(0, result.code, command)
      if command == "status" then assert.equal(4, result.code) end
    end
    assert.is_true(d:alive())
    d:stop()
  end))

  it("lets the daemon's user look, and no more", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo [[user = "nobody",]]))
    assert.equal(0, as_nobody(t, "status", d.file).code)
    assert.equal(0, as_nobody(t, "logs", d.file).code)
    for _, command in ipairs { "stop", "reload" } do
      assert.not_equal(0, as_nobody(t, command, d.file).code, command)
    end
    assert.is_true(d:alive())
    d:stop()
  end))

  it("survives clients that talk nonsense, too much, or nothing", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    local address = ("unix:%s/luvd/%s/control"):format(t.runtime or "/run", t.name)
    for _, bytes in ipairs {
      "\255\255\255\255Q", "\0\0\0\0", ("\0"):rep(100000), "\0\0\0\7Qfly me", "GET / HTTP/1.0\r\n\r\n",
      "\0\1\0\0Q" .. ("x"):rep(65536), "", "\0",
    } do
      local conn = client.connect(address)
      if conn then
        conn:write(bytes)
        conn:shutdown()
        conn:close()
      end
    end
    assert.is_not_nil(d:status())
    d:stop()
  end))

  it("cannot be occupied by strangers who say nothing", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo()))
    local silent = {}
    for i = 1, 40 do
      silent[i] = t:spawn({ "/bin/nc", "-U", ("/run/luvd/%s/control"):format(t.name) },
        { uid = luvd.nobody, gid = luvd.nobody, cwd = "/" })
    end
    for _ = 1, 10 do assert.is_not_nil(d:status()) end
    for _, child in ipairs(silent) do
      child:kill()
      child:wait()
    end
    d:stop()
  end))

  it("lies in a folder that only its owner may write", luvd.test(function(t)
    local d = t:start(t:file(services.echo()))
    local folder = ("%s/luvd/%s"):format(t.runtime or "/run", t.name)
    assert.equal(tonumber(luvd.root and "711" or "700", 8), uv.fs_stat(folder).mode & 4095)
    assert.equal(tonumber("666", 8), uv.fs_stat(folder .. "/control").mode & 4095)
    d:stop()
  end))
end)

describe("luvd logs", function()
  it("prints the last lines", luvd.test(function(t)
    local d = t:start(t:file(services.start [[for i = 1, 20 do daemon.log:info("entry " .. i) end]]))
    local all = t:luvd { "logs", d.file }
    assert.equal(0, all.code)
    assert.matches("entry 1\n", all.out)
    assert.matches("entry 20\n", all.out)
    local some = t:luvd({ "logs", d.file, "--lines", "3" }).out
    local _, count = some:gsub("\n", "")
    assert.equal(3, count)
    d:stop()
  end))

  it("--follow goes on until the daemon ends", luvd.test(function(t)
    local d = t:start(t:file(services.start([[net.serve(daemon.listeners.web, function(conn)
        for line in conn:lines() do daemon.log:info(line) end
      end)]], [[listen = { web = "tcp://127.0.0.1:0" },]])))
    local follow = t:spawn { luvd.binary, "logs", d.file, "--follow" }
    client.ask(d:address(), "first\n")
    follow:wait_output("out", "first")
    client.ask(d:address(), "second\n")
    follow:wait_output("out", "second")
    d:stop()
    follow:wait()
  end))
end)

describe("luvd help", function()
  it("names every command", luvd.test(function(t)
    for _, words in ipairs { { "help" }, { "--help" }, { "-h" } } do
      local result = t:luvd(words)
      assert.equal(0, result.code)
      for _, command in ipairs { "run", "start", "stop", "reload", "restart", "status", "check", "plan", "logs", "help",
        "version", "console", "upgrade" } do
        assert.matches("%f[%w]" .. command .. "%f[%W]", result.out)
      end
    end
  end))

  it("explains a key, and names the nearest when there is none", luvd.test(function(t)
    local result = t:luvd { "help", "umask" }
    assert.equal(0, result.code)
    assert.matches("umask", result.out)
    assert.matches("027", result.out)
    assert.matches("reload +changes by new workers", t:luvd({ "help", "listen" }).out)
    assert.matches("reload +as each key below it says", t:luvd({ "help", "timeouts" }).out)
    result = t:luvd { "help", "umsk" }
    assert.equal(2, result.code)
    assert.matches("umask", result.err)
  end))

  it("version prints one", luvd.test(function(t)
    for _, word in ipairs { "version", "--version" } do
      assert.matches("^luvd %d+%.%d+%.%d+", t:luvd({ word }).out)
    end
  end))
end)

describe("the idle daemon #plain", function()
  it("takes at most 4 MiB of memory in each of its processes", luvd.test(function(t)
    local d = t:start(t:example "hello", { "--set", "listen.web=tcp://127.0.0.1:0" })
    local monitor, worker = proc.resident(d.pid), proc.resident(d:worker())
    assert.is_true(monitor <= 4096 and worker <= 4096, ("monitor %d KiB, worker %d KiB"):format(monitor, worker))
    d:stop()
  end))
end)
