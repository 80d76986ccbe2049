local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

luvd.classic()

local hostile = luvd.helpers .. "/hostile"

-- What /proc must not show of the launcher in a process of the daemon.
local function assert_clean_process(pid, groups)
  local status = proc.status(pid)
  assert.same(groups, status.Groups)
  assert.same({}, proc.signals(status, "SigBlk"))
  assert.same({ 13, 25 }, proc.signals(status, "SigIgn"))
  assert.equal("0027", status.Umask[1])
  for fd, target in pairs(proc.descriptors(pid)) do
    assert.is_nil(target:find("secret", 1, true), ("descriptor %d is the launcher's"):format(fd))
    assert.is_true(fd < 50, ("descriptor %d (%s)"):format(fd, target))
  end
  for _, entry in ipairs(proc.environment(pid)) do
    assert.is_nil(entry:find "SECRET=" or entry:find "LUA_" or entry:find "LISTEN_" or entry:find "IFS="
      or entry:find "/tmp/evil" or entry:find "BASH_ENV" or entry:find "no equals")
  end
end

local function assert_clean(d, groups)
  assert_clean_process(d.pid, groups)
  assert_clean_process(d:worker(), groups)
end

describe("a hostile launcher", function()
  for _, closed in ipairs { false, true } do
    it("leaves nothing in the daemon" .. (closed and ", with descriptors 0 to 2 closed" or ""),
      luvd.root_test(function(t)
        local secret = t:file("secret", "secret")
        local file = t:file(services.eval(luvd.root and [[user = "nobody",]] or ""))
        local result = t:command { hostile, closed and "-cs" or "-s", secret, luvd.binary, "start", file }
        assert.same({ 0, "" }, { result.code, result.err })
        local d = t:attach(file)
        assert_clean(d, luvd.root and {} or proc.status(math.tointeger(uv.os_getpid())).Groups)
        if luvd.root then assert.equal("65534", proc.status(d:worker()).Uid[1]) end
        local conn = client.connect(d:address())
        assert.equal("nil", conn:write("os.getenv 'SECRET'\n"):read_line())
        assert.equal("nil", conn:write("os.getenv 'LISTEN_FDS'\n"):read_line())
        assert.equal("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          conn:write("os.getenv 'PATH'\n"):read_line())
        assert.equal("C.UTF-8", conn:write("os.getenv 'LANG'\n"):read_line())
        conn:close()
        d:stop()
      end))
  end

  it("leaves nothing in a daemon that runs in the foreground", luvd.root_test(function(t)
    local secret = t:file("secret", "secret")
    local d = t:run(t:file(services.echo()), {}, {}, { hostile, "-s", secret })
    assert_clean(d, luvd.root and {} or proc.status(math.tointeger(uv.os_getpid())).Groups)
    d:signal "sigterm"
    d.child:wait()
  end))

  it("has made no file writable by others", luvd.root_test(function(t)
    local result = t:command { hostile, luvd.root and "-s" or "-c", t:file("", "secret"), luvd.binary, "start",
      t:file(services.echo()) }
    assert.equal(0, result.code)
    local d = t:attach(t.folder .. "/" .. t.name .. ".lua")
    local run = t.runtime or "/run"
    for _, path in ipairs { run .. "/" .. t.name .. ".pid", run .. "/luvd/" .. t.name,
      run .. "/luvd/" .. t.name .. "/lock", run .. "/luvd/" .. t.name .. "/record", d:log_path() } do
      local mode = assert(uv.fs_stat(path), path).mode
      assert.equal(0, mode & tonumber("022", 8), ("%s has mode %o"):format(path, mode))
    end
    assert.equal(tonumber("711", 8), uv.fs_stat(run .. "/luvd/" .. t.name).mode & 4095)
    assert.equal(tonumber("600", 8), uv.fs_stat(run .. "/luvd/" .. t.name .. "/lock").mode & 4095)
    d:stop()
  end))
end)

describe("the drop of privileges", function()
  it("is whole: ids, groups, capabilities, bounding set, no_new_privs", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo [[user = "nobody", groups = { "audio" },]]))
    local status = proc.status(d:worker())
    assert.same({ "65534", "65534", "65534", "65534" }, status.Uid)
    assert.same({ "65534", "65534", "65534", "65534" }, status.Gid)
    assert.equal(1, #status.Groups)
    for _, set in ipairs { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" } do
      assert.equal("0000000000000000", status[set][1], set)
    end
    assert.equal("1", status.NoNewPrivs[1])
    d:stop()
  end))

  it("keeps exactly the capabilities that are asked", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo [[user = "nobody", capabilities = { "net_bind_service" },]]))
    local status = proc.status(d:worker())
    assert.equal("0000000000000400", status.CapEff[1])
    assert.equal("0000000000000400", status.CapPrm[1])
    assert.equal("65534", status.Uid[1])
    d:stop()
  end))

  it("cannot be taken back by the service", luvd.root_test(function(t)
    local d = t:start(t:file(services.eval [[user = "nobody", chroot = "auto",]]))
    local conn = client.connect(d:address())
    assert.equal("nil", conn:write("io.open '/etc/passwd'\n"):read_line())
    assert.equal("nil", conn:write("io.open('/x', 'w')\n"):read_line())
    assert.matches("raised", conn:write("require('luv').setuid(0)\n"):read_line())
    assert.equal("nil", conn:write("os.execute 'true'\n"):read_line())
    conn:close()
    assert.same({}, proc.names(("/proc/%d/root/"):format(d:worker())))
    d:stop()
  end))

  it("applies to every thread", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo [[user = "nobody",]]))
    local tasks = proc.names(("/proc/%d/task"):format(d:worker()))
    assert.is_true(#tasks >= 1)
    for _, task in ipairs(tasks) do
      local status = proc.status(math.tointeger(tonumber(task)))
      assert.same({ "65534", "0000000000000000", "1" }, { status.Uid[1], status.CapPrm[1], status.NoNewPrivs[1] })
    end
    d:stop()
  end))

  it("applies limits, umask and working directory as told", luvd.root_test(function(t)
    local d = t:start(t:file(services.echo
      [[user = "nobody", limits = { nofile = 300, core = 0 }, umask = "077", chdir = "/tmp",
        priority = { nice = 5, oom_score = 500 },]]))
    assert.same({ "300", "300" }, { proc.limit(d:worker(), "Max open files") })
    assert.same({ "0", "0" }, { proc.limit(d:worker(), "Max core file size") })
    assert.equal("0077", proc.status(d:worker()).Umask[1])
    assert.equal("/tmp", uv.fs_readlink(("/proc/%d/cwd"):format(d:worker())))
    assert.equal("500\n", proc.slurp(("/proc/%d/oom_score_adj"):format(d:worker())))
    d:stop()
  end))
end)

describe("an ordinary user", function()
  it("starts, asks and stops a daemon with files of its own", luvd.root_test(function(t)
    t:unprivileged()
    local d = t:start(t:file(services.echo()))
    assert.equal("65534", proc.status(d:worker()).Uid[1])
    assert.equal("1", proc.status(d:worker()).NoNewPrivs[1])
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    assert.equal(d.pid .. "\n", proc.slurp(t.runtime .. "/" .. t.name .. ".pid"))
    d:stop()
    t:assert_nothing_left()
  end))

  it("who is new gets the folders that the log of start needs, and keeps none of a start that failed",
    luvd.root_test(function(t)
      t:unprivileged()
      t:failed_start(t:file(services.echo_at("tcp://127.0.0.1:0", "files = { x = { path = \"/nonexistent/x\" } },")))
      assert.same({}, proc.names(t.home))
      t:start(t:file(services.echo())):stop()
      assert.equal(tonumber("700", 8), uv.fs_stat(t.home .. "/.local/state").mode & 4095)
    end))

  it("needs no XDG_RUNTIME_DIR", luvd.root_test(function(t)
    t:unprivileged()
    t.more_env = { "HOME=" .. t.home }
    local d = t:start(t:file(services.echo()))
    local folder = uv.fs_stat "/tmp/luvd-65534"
    assert.same({ 65534, tonumber("700", 8) }, { folder.uid, folder.mode & 4095 })
    d:stop()
  end))

  for key, text in pairs {
    user = [[user = "root",]], groups = [[groups = { "audio" },]], chroot = [[chroot = "auto",]],
  } do
    it("is told that it cannot have " .. key, luvd.root_test(function(t)
      t:unprivileged()
      local result = t:failed_start(t:file(services.echo(text)))
      assert.equal(1, result.code)
      assert.matches(("%s.lua:5: %s: "):format(t.name, key), result.err, 1, true)
    end))
  end

  it("may ask for its own user", luvd.root_test(function(t)
    t:unprivileged()
    t:start(t:file(services.echo [[user = "nobody",]])):stop()
  end))
end)
