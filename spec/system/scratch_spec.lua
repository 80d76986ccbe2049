-- luvd run --scratch FOLDER: what luvd.testing starts daemons with.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

describe("luvd run --scratch", function()
  local everything = [[
return {
  listen = { web = "tcp://*:80", numbers = "udp://0.0.0.0:53", link = "unix:/run/%s.sock", name = "unix:@%s" },
  files = { series = { path = "/var/log/%s.series", mode = "a" } },
  directories = { runtime = true, state = true, cache = true, logs = true },
  log = "syslog",
  control = "/run/%s.control",
  config = { answer = "first" },
  service = {
    start = function(daemon)
      require "luvd.net".serve(daemon.listeners.web, function(conn) conn:write(daemon.config.answer .. "\n") end)
      daemon.files.series:write "told\n"
    end,
    reload = function(daemon) if daemon.config.answer == "wrong" then error("no such answer", 0) end end,
  },
}]]

  local function scratch_of(t)
    local folder = t.folder .. "/scratch"
    assert(uv.fs_mkdir(folder, tonumber("700", 8)))
    if t.uid then assert(uv.fs_chown(folder, t.uid, t.gid)) end
    return folder
  end

  -- Runs it, and waits for the line that says where it listens.
  local function run(t, text, ...)
    local folder = scratch_of(t)
    local child = t:spawn { luvd.binary, "run", t:file((text:gsub("%%s", t.name))), "--scratch", folder, ... }
    loop.wait_for("it to be ready", function()
      if child.code then error(child.err, 0) end
      return child.err:find("ready, pid", 1, true)
    end)
    return child, folder
  end

  local function ask(folder, t, request)
    local conn = assert(client.connect(("unix:%s/run/%s/control"):format(folder, t.name)))
    conn:write(string.pack(">s4", "Q" .. request))
    local answer = conn:read_all()
    conn:close()
    local at = 1
    while at <= #answer do
      local frame
      frame, at = string.unpack(">s4", answer, at)
      if frame:sub(1, 1) == "E" then return frame:byte(2), frame:sub(3) end
    end
  end

  local function stop(child)
    uv.kill(child.pid, "sigterm")
    loop.wait_for("its end", function() return child.code end)
    assert.equal(0, child.code, child.err)
  end

  local function all(name)
    return function(t)
      local child, folder = run(t, everything, "--set", "workers=" .. name)
      local names = proc.names(folder)
      for _, wanted in ipairs { "cache", "link.socket", "logs", "pid", "run", "runtime", "series.file", "state" } do
        assert.truthy(table.concat(names, " "):find(wanted, 1, true), wanted)
      end
      for _, form in ipairs { "/run/luvd/%s", "/run/%s", "/run/%s.pid", "/run/%s.sock", "/run/%s.control",
        "/var/lib/%s", "/var/cache/%s", "/var/log/%s", "/var/log/%s.series" } do
        assert.is_false(tree.exists(form:format(t.name)), form)
      end
      assert.equal(child.pid, tonumber(proc.slurp(folder .. "/pid")))
      assert.matches("unix:@" .. folder:gsub("%p", "%%%0") .. "/name%.socket", child.err)
      assert.matches("udp://127%.0%.0%.1:%d", child.err)
      local four, six = child.err:match "(tcp://127%.0%.0%.1:[1-9]%d+)", child.err:match "(tcp://%[::1%]:[1-9]%d+)"
      assert.equal("first\n", client.ask(four, ""))
      assert.equal("first\n", client.ask(six, ""))
      stop(child)
      assert.equal("told\n", proc.slurp(folder .. "/series.file"))
      assert.same({}, proc.names(folder .. "/run/" .. t.name))
    end
  end

  it("touches nothing outside its folder", luvd.test(all "1"))
  it("touches nothing outside its folder as a classic daemon", luvd.test(all "0"))
  it("touches nothing outside its folder as an ordinary user", luvd.test(function(t)
    if luvd.root then t:unprivileged() end
    all "1"(t)
    assert.same({}, proc.names(t.home))
    assert.same({}, proc.names(t.runtime))
  end))

  it("takes what --set names as it is", luvd.test(function(t)
    local child, folder = run(t, everything, "--set", "listen.link=unix:" .. t.folder .. "/mine", "--set",
      "files.series.path=" .. t.folder .. "/series", "--set", "pidfile=" .. t.folder .. "/mine.pid")
    assert.is_true(tree.exists(t.folder .. "/mine"))
    assert.is_true(tree.exists(t.folder .. "/series"))
    assert.is_true(tree.exists(t.folder .. "/mine.pid"))
    assert.is_false(tree.exists(folder .. "/link.socket"))
    assert.is_false(tree.exists(folder .. "/pid"))
    stop(child)
  end))

  it("reads the file sets of its folder at a reload", luvd.test(function(t)
    local child, folder = run(t, everything)
    local address = child.err:match "(tcp://127%.0%.0%.1:[1-9]%d+)"
    tree.write(folder .. "/sets", 'config.answer="second"\n\nlog.level=debug\n')
    local code, text = ask(folder, t, "reload")
    assert.equal(0, code, text)
    assert.equal("second\n", client.ask(address, ""))
    tree.write(folder .. "/sets", 'config.answer=wrong\n')
    code, text = ask(folder, t, "reload")
    assert.equal(1, code)
    assert.matches("no such answer", text)
    assert.equal("second\n", client.ask(address, ""))
    stop(child)
  end))

  it("trusts no file sets that others may write to", luvd.root_test(function(t)
    local child, folder = run(t, everything)
    tree.write(folder .. "/sets", "config.answer=evil\n")
    assert(uv.fs_chmod(folder .. "/sets", tonumber("666", 8)))
    local code, text = ask(folder, t, "reload")
    assert.not_equal(0, code)
    assert.matches("sets", text)
    stop(child)
  end))

  local function kill(t, parent)
    uv.kill(parent.pid, "sigkill")
    loop.wait_for("its end", function() return parent.code end)
    t:assert_no_process()
  end

  local function tethered(workers, more)
    return luvd.test(function(t)
      local folder = scratch_of(t)
      local file = t:file((everything:gsub("%%s", t.name)))
      local parent = t:spawn({ "/bin/sh", "-c", ('"%s" run "%s" --scratch "%s" --set workers=%d %s & wait')
        :format(luvd.binary, file, folder, workers, more or "") })
      loop.wait_for("it to be ready", function() return parent.err:find("ready, pid", 1, true) end)
      kill(t, parent)
    end)
  end

  it("ends with the process that has started it", tethered(1))
  it("ends with the process that has started it, as a classic daemon", tethered(0))
  it("ends with the process that has started it, under --watch, too", tethered(1, "--watch"))
  it("ends with it as another user", luvd.root_test(function(t)
    everything = everything:gsub("return {", 'return { user = "nobody", chroot = "auto",', 1)
    local folder = scratch_of(t)
    assert(uv.fs_chmod(folder, tonumber("711", 8)))
    local file = t:file((everything:gsub("%%s", t.name)))
    local parent = t:spawn { "/bin/sh", "-c", ('"%s" run "%s" --scratch "%s" --set workers=0 & wait')
      :format(luvd.binary, file, folder) }
    loop.wait_for("it to be ready", function() return parent.err:find("ready, pid", 1, true) end)
    kill(t, parent)
  end))

  it("names a folder that is not there, and what is none", luvd.test(function(t)
    local file = t:file((everything:gsub("%%s", t.name)))
    local result = t:luvd { "run", file, "--scratch", t.folder .. "/nowhere" }
    assert.equal(2, result.code)
    assert.matches("nowhere' of %-%-scratch: no such file or directory", result.err)
    result = t:luvd { "run", file, "--scratch", file }
    assert.equal(2, result.code)
    assert.matches("is not a folder", result.err)
  end))

  it("names a socket whose path would be too long", luvd.test(function(t)
    local folder = t.folder .. "/" .. ("x"):rep(90)
    assert(uv.fs_mkdir(folder, tonumber("700", 8)))
    local result = t:luvd { "run", t:file((everything:gsub("%%s", t.name))), "--scratch", folder }
    assert.equal(1, result.code)
    assert.matches("listen.link: expected a socket's path of at most 107 bytes", result.err)
  end))
end)
