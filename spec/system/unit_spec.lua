-- What `luvd unit` prints, given to those for whom it is.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local services = require "support.services"
local tree = require "support.tree"
local uv = require "luv"

local ODD = [[config.text=a $HOME %n "b" 'c' \d; é]]

-- The text for one form; it must succeed without a word.
local function unit(t, file, form, ...)
  local result = t:luvd { "unit", file, "--for", form, ... }
  assert.same({ 0, "" }, { result.code, result.err })
  return result.out
end

local function executable(path, text)
  tree.write(path, text)
  assert(uv.fs_chmod(path, tonumber("755", 8)))
  return path
end

local function field(text, key)
  return text:match("\n" .. key .. "=([^\n]*)")
end

-- Every line that begins with this key.
local function fields(text, key)
  local list = {}
  for value in text:gmatch("\n" .. key .. "=([^\n]*)") do list[#list + 1] = value end
  return list
end

local function runs(t, file)
  return t:luvd({ "status", file }).code == 0
end

describe("luvd unit", function()
  it("does nothing: no file is made, no port is bound", luvd.test(function(t)
    local file = t:file(services.echo())
    local before = table.concat(proc.names(t.folder), " ")
    for _, form in ipairs { "systemd", "rc.d", "s6", "runit", "logrotate" } do
      assert.not_equal("", unit(t, file, form))
    end
    assert.equal(before, table.concat(proc.names(t.folder), " "))
    t:assert_nothing_left()
  end))

  it("names its forms in the help, and those of the help are there", luvd.test(function(t)
    local file = t:file(services.echo())
    local help = t:luvd({ "unit", "--help" }).out:match "%-%-for FORM%s+([^\n]+)"
    local wrong = t:luvd { "unit", file, "--for", "upstart" }
    assert.equal(2, wrong.code)
    assert.equal("luvd: unit: --for: expected systemd, rc.d, s6, runit or logrotate, got 'upstart'\n", wrong.err)
    assert.equal("systemd (the default), rc.d, s6, runit or logrotate", help)
    assert.equal(unit(t, file, "systemd"), t:luvd({ "unit", file }).out)
  end))

  it("refuses what check refuses, and a path that no unit can hold", luvd.test(function(t)
    assert.equal(2, t:luvd({ "unit", t:file "return { nme = 1 }" }).code)
    local odd = t:luvd { "unit", t:file(services.echo(), "a\nb.lua"), "--set", "name=odd" }
    assert.same({ 1, "" }, { odd.code, odd.out })
    assert.matches([[a\x0ab.lua': it has a control character]], odd.err, 1, true)
  end))

  it("has no stanza for a log that is no file", luvd.test(function(t)
    local result = t:luvd { "unit", t:file(services.echo [[log = "syslog",]]), "--for", "logrotate" }
    assert.same({ 1, "" }, { result.code, result.out })
    assert.matches(":%d: log: there is nothing to rotate", result.err)
  end))
end)

describe("the unit of systemd", function()
  local analyze = "/usr/bin/systemd-analyze"

  local function verify(t, how, text, name)
    local result = t:command { analyze, how, "--man=no", "verify", t:file(text, name .. ".service") }
    assert.same({ 0, "" }, { result.code, result.err })
  end

  for _, name in ipairs(proc.names "examples") do
    it(("of %s is right for systemd"):format(name), luvd.test(function(t)
      local file = ("%s/examples/%s/%s.lua"):format(luvd.top, name, name)
      verify(t, "--system", unit(t, file, "systemd", "--as", "root"), name)
    end))
  end

  it("of an ordinary user is right for his own systemd", luvd.test(function(t)
    t = luvd.root and t:unprivileged() or t
    local text = unit(t, t:file(services.echo()), "systemd")
    assert.matches("\nWantedBy=default.target\n", text, 1, true)
    assert.is_nil(text:match "Capability" or text:match "Protect")
    verify(t, "--user", text, "mine")
  end))

  it("is right with odd names and arguments", luvd.test(function(t)
    local keys = [[description = "100% \\", files = { a = { path = "/srv/a %n/$b.log", mode = "a" } },]]
    local file = t:file(services.echo(keys), [[odd $a %n "b" 'c' \d.lua]])
    local text = unit(t, file, "systemd", "--as", "root", "--set", "name=odd", "--set", ODD, "--set", "config.x=;")
    verify(t, "--system", text, "odd")
    assert.matches([["config.text=a $$HOME %%n \"b\" 'c' \\d; é"]], text, 1, true)
    assert.matches([[ReadWritePaths="-/srv/a %%n"]], text, 1, true)
  end))

  for name, most in pairs { jail = 3.4, sweep = 3.4, http = 7 } do
    it(("of %s is exposed to at most %s"):format(name, most), luvd.test(function(t)
      local file = ("%s/examples/%s/%s.lua"):format(luvd.top, name, name)
      local path = t:file(unit(t, file, "systemd", "--as", "root"), name .. ".service")
      local result = t:command { analyze, "security", "--offline=yes", "--no-pager", path }
      local level = tonumber(result.out:match "Overall exposure level for [^:]+: ([%d.]+)")
      assert(level and level <= most, result.out)
    end))
  end

  -- What systemd would do before it executes luvd: the folders are made, the file system is read-only but for
  -- ReadWritePaths=, then bounding set and no_new_privs.
  local ENTER = [=[
set -eu
root=$1; shift
mkdir -p "$root" $RUNTIME
eval "$PREPARE"
mount --bind / "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -o remount,bind,ro "$root"
for path in $WRITTEN; do
  [ ! -d "$path" ] || mount --bind "$path" "$root$path"
done
exec chroot "$root" setpriv --no-new-privs --bounding-set=-all$CAPABILITIES "$@"
]=]

  local function confined(t, file)
    local text = unit(t, file, "systemd")
    local capabilities = field(text, "CapabilityBoundingSet"):gsub("CAP_(%S+)%s*", function(name)
      return ",+" .. name:lower()
    end)
    local written, prepare = {}, {}
    for _, value in ipairs(fields(text, "ReadWritePaths")) do
      for path in value:gmatch "%S+" do written[#written + 1] = path:gsub("^%-", "") end
    end
    for _, value in ipairs(fields(text, "ExecStartPre")) do prepare[#prepare + 1] = value:sub(2) end
    local words = { "/usr/bin/unshare", "--mount", "/bin/sh", "-c", ENTER, "sh", t.folder .. "/view" }
    return t:run(file, {}, { more_env = {
      "CAPABILITIES=" .. capabilities,
      "WRITTEN=" .. table.concat(written, " "),
      "PREPARE=" .. table.concat(prepare, "\n"),
      "RUNTIME=/run/" .. field(text, "RuntimeDirectory"),
    } }, words)
  end

  for kind, keys in pairs { monitor = "workers = 2,", classic = "workers = 0," } do
    it(("lets a %s do all that it does"):format(kind), luvd.root_test(function(t)
      local log = ("/var/log/%s/the.log"):format(t.name)
      local d = confined(t, t:file(services.echo(([[user = "nobody", chroot = "auto",
        directories = { state = true, logs = true }, log = %q, limits = { nofile = 512 }, %s]]):format(log, keys))))
      d.logs = log
      d:wait_log "ready"
      assert.equal("x\n", client.ask(d:address(), "x\n"))
      assert.equal(kind == "monitor" and 0 or 1, d:reload().code)
      d:signal "sigusr1"
      local status = proc.status(d.pid)
      assert.equal("1", status.NoNewPrivs[1])
      assert.equal(luvd.nobody, uv.fs_stat("/var/lib/" .. t.name).uid)
      d:stop()
      d.child:wait()
      assert.equal(0, d.child.code)
    end))
  end
end)

describe("the system calls of a unit", function()
  -- All that a set of systemd holds.
  local function add(t, allowed, set)
    local listed = t:command { "/usr/bin/systemd-analyze", "--no-pager", "syscall-filter", set }
    for line in listed.out:gmatch "\n +([@%w_-]+)" do
      if line:sub(1, 1) == "@" then add(t, allowed, line) else allowed[line] = true end
    end
  end

  -- Under sanitizers there are calls of theirs.
  it("are all that luvd makes, from its start over a reload to its end #plain", luvd.root_test(function(t)
    local file = t:file(services.echo [[user = "nobody", chroot = "auto", directories = { state = true },]])
    local allowed = {}
    for _, value in ipairs(fields(unit(t, file, "systemd"), "SystemCallFilter")) do
      if value:sub(1, 1) == "@" then add(t, allowed, value) else allowed[value] = true end
    end
    for _, name in ipairs { "read", "execve", "execveat", "chroot" } do assert.is_true(allowed[name], name) end
    assert.is_nil(allowed.mount)
    local trace = t.folder .. "/trace"
    local d = t:run(file, {}, {}, { "/usr/bin/strace", "-f", "-o", trace })
    assert.equal("x\n", client.ask(d:address(), "x\n"))
    assert.equal(0, d:reload().code)
    t:luvd { "stop", file }
    d.child:wait()
    local refused, seen = {}, 0
    for call in proc.slurp(trace):gmatch "\n%d+ +([%l%d_]+)%(" do
      seen = seen + 1
      -- The audit tries those that must fail.
      if not allowed[call] then refused[call] = true end
    end
    assert.is_true(seen > 100)
    assert.same({}, refused)
  end))
end)

describe("the script for rc.d", function()
  -- The part of rc.subr(8) that such a script needs.
  local STUB = [=[
load_rc_config() { eval "${name}_enable=YES"; }
run_rc_command() {
  eval "enabled=\$$rcvar"
  [ "$enabled" = YES ] || return 1
  case " start stop restart $extra_commands " in *" $1 "*) ;; *) echo "unknown: $1" >&2; return 64 ;; esac
  eval "command=\$${1}_cmd"
  "$command"
}
]=]

  local function script(t, file, ...)
    local stub = t:file(STUB, "rc.subr")
    local text = unit(t, file, "rc.d", ...)
    local path = executable(t.folder .. "/script", (text:gsub("%. /etc/rc%.subr", ". " .. stub, 1)))
    return function(verb) return t:command { "/bin/sh", "-eu", path, verb } end, text, path
  end

  it("is a script, and has what rcorder(8) reads", luvd.test(function(t)
    local _, text, path = script(t, t:file(services.echo(), "odd 'a $b.lua"), "--set", "name=7-up.d", "--set", ODD)
    assert.same({ 0, "" }, { t:command({ "/bin/sh", "-n", path }).code, t:command({ "/bin/sh", "-n", path }).err })
    assert.matches("\n# PROVIDE: luvd_7_up_d\n# REQUIRE: DAEMON NETWORKING\n# KEYWORD: shutdown\n", text)
    assert.matches("\nrcvar=luvd_7_up_d_enable\n", text, 1, true)
  end))

  it("starts, tells, reloads, restarts and stops, with luvd's exit codes", luvd.test(function(t)
    local file = t:file(services.echo())
    local call = script(t, file, "--set", ODD)
    assert.equal(3, call("status").code)
    assert.equal(0, call("start").code)
    assert.equal(0, call("start").code)
    assert.equal(0, call("status").code)
    assert.equal(0, call("reload").code)
    local before = t:attach(file).pid
    assert.equal(0, call("restart").code)
    assert.not_equal(before, t:attach(file).pid)
    assert.equal(0, call("stop").code)
    assert.equal(3, call("status").code)
    t:assert_nothing_left()
  end))
end)

-- Kills what runs and waits until its supervisor has it running anew.
local function kill_and_wait(t, file)
  local first = t:attach(file).pid
  assert(uv.kill(first, "sigkill"))
  loop.wait_for("a new one", function()
    local ok, now = pcall(t.attach, t, file)
    return ok and now.pid ~= first
  end)
end

describe("the run script of s6", function()
  it("is supervised: started, ready, killed, started again, stopped", luvd.test(function(t)
    local folder, file = t.folder .. "/service", t:file(services.echo())
    assert(uv.fs_mkdir(folder, tonumber("755", 8)))
    if t.uid then assert(uv.fs_chown(folder, t.uid, t.gid)) end
    local text = unit(t, file, "s6", "--set", ODD)
    executable(folder .. "/run", text)
    tree.write(folder .. "/notification-fd", "3\n")
    tree.write(folder .. "/timeout-kill", text:match "timeout%-kill%s+echo (%d+)" .. "\n")
    local supervisor = t:spawn { "/usr/bin/s6-supervise", folder }
    t:finally(function() t:command { "/usr/bin/s6-svc", "-xd", folder }; supervisor:wait() end)
    loop.wait_for("s6-supervise", function() return t:command({ "/usr/bin/s6-svok", folder }).code == 0 end)
    assert.equal(0, t:command({ "/usr/bin/s6-svwait", "-U", "-t", "20000", folder }).code)
    assert.equal("x\n", client.ask(t:attach(file):address(), "x\n"))
    kill_and_wait(t, file)
    assert.equal(0, t:command({ "/usr/bin/s6-svwait", "-U", "-t", "20000", folder }).code)
    assert.equal(0, t:command({ "/usr/bin/s6-svc", "-wD", "-T", "20000", "-d", folder }).code)
    assert.matches("^down %(exitcode 0%)", t:command({ "/usr/bin/s6-svstat", folder }).out)
    t:command { "/usr/bin/s6-svc", "-x", folder }
    supervisor:wait()
    t:assert_nothing_left()
  end))
end)

describe("the run script of runit", function()
  -- setup.sh unpacks it there.
  local tools = tree.exists "/usr/bin/runsv" and "/usr/bin" or luvd.top .. "/build/unpacked/runit/usr/bin"

  it("is supervised: started, ready, killed, started again, stopped", luvd.test(function(t)
    if not tree.exists(tools .. "/runsv") then pending "runit is not there" end
    local folder, file = t.folder .. "/service", t:file(services.echo())
    assert(uv.fs_mkdir(folder, tonumber("755", 8)))
    if t.uid then assert(uv.fs_chown(folder, t.uid, t.gid)) end
    local text = unit(t, file, "runit", "--set", ODD)
    executable(folder .. "/run", text)
    executable(folder .. "/check", "#!/bin/sh\n" .. text:match "#   (%S+ status [^\n]+)\n" .. "\n")
    local supervisor = t:spawn { tools .. "/runsv", folder }
    local function sv(...) return t:command { tools .. "/sv", "-w", "20", ... } end
    t:finally(function() sv("exit", folder); supervisor:wait() end)
    loop.wait_for("runsv", function() return tree.exists(folder .. "/supervise/ok") end)
    assert.equal(0, sv("start", folder).code)
    assert.is_true(runs(t, file))
    assert.equal("x\n", client.ask(t:attach(file):address(), "x\n"))
    kill_and_wait(t, file)
    assert.equal(0, sv("stop", folder).code)
    assert.is_false(runs(t, file))
    sv("exit", folder)
    supervisor:wait()
    t:assert_nothing_left()
  end))
end)

describe("the stanza of logrotate", function()
  -- Logs a number for each line that it is sent.
  local COUNTER = [=[
local luvd, net = require "luvd", require "luvd.net"
return {
  %s
  listen = { web = "tcp://127.0.0.1:0" },
  service = {
    start = function(daemon)
      net.serve(daemon.listeners.web, function(conn)
        for line in conn:lines() do daemon.log:info("number " .. line); conn:write(line .. "\n") end
      end)
    end,
  },
}
]=]

  -- Rotates three times with lines before, between and after; all of them are in the logs, in order.
  local function rotates(t, log, keys)
    local d = t:start(t:file(COUNTER:format(keys)))
    d.logs = log
    local text = unit(t, d.file, "logrotate"):gsub("\n\tdelaycompress", ""):gsub("\n\tcompress", "")
    local stanza = t:file(text, "stanza")
    local dry = t:command { "/usr/sbin/logrotate", "-d", "-s", t.folder .. "/state", stanza }
    assert.equal(0, dry.code, dry.err)
    assert.is_nil(dry.err:match "error:", dry.err)
    local number = 0
    local function lines()
      for _ = 1, 5 do
        number = number + 1
        client.ask(d:address(), number .. "\n")
      end
      d:wait_log(("number %d\n"):format(number))
    end
    lines()
    for _ = 1, 3 do
      local before = uv.fs_stat(log).ino
      local result = t:command { "/usr/sbin/logrotate", "-f", "-s", t.folder .. "/state", stanza }
      assert.same({ 0, "" }, { result.code, result.err })
      if text:find("kill -USR1", 1, true) then
        d:wait_log "opened anew"
        assert.not_equal(before, uv.fs_stat(log).ino)
      end
      lines()
    end
    local seen = {}
    for _, suffix in ipairs { ".3", ".2", ".1", "" } do
      for found in proc.slurp(log .. suffix):gmatch "number (%d+)\n" do seen[#seen + 1] = tonumber(found) end
    end
    local expected = {}
    for i = 1, number do expected[i] = i end
    assert.same(expected, seen)
    local owner = uv.fs_stat(log).uid
    d:stop()
    return owner
  end

  local function folder_of(t, name)
    local folder = t.folder .. "/" .. name
    assert(uv.fs_mkdir(folder, tonumber("700", 8)))
    return folder
  end

  it("rotates the log of a monitor in a folder that only root enters", luvd.root_test(function(t)
    local log = folder_of(t, "logs") .. "/the.log"
    assert.equal(0, rotates(t, log, ("user = %q, chroot = %q, log = %q,"):format("nobody", "auto", log)))
  end))

  it("rotates a log in the service's own folder, which others may write to", luvd.root_test(function(t)
    local log = ("/var/log/%s/the.log"):format(t.name)
    assert.equal(luvd.nobody, rotates(t, log,
      ("user = %q, directories = { logs = %q }, log = %q,"):format("nobody", "0770", log)))
  end))

  it("rotates the log of a classic daemon", luvd.root_test(function(t)
    local log = folder_of(t, "logs") .. "/the.log"
    assert(uv.fs_chmod(t.folder .. "/logs", tonumber("755", 8)))
    assert.equal(luvd.nobody, rotates(t, log, ("workers = 0, user = %q, log = %q,"):format("nobody", log)))
  end))

  it("copies the log of a classic daemon in an empty root", luvd.root_test(function(t)
    local log = folder_of(t, "logs") .. "/the.log"
    rotates(t, log, ("workers = 0, user = %q, chroot = %q, log = %q,"):format("nobody", "auto", log))
  end))

  it("finds a log with an odd name, and a daemon without a pidfile", luvd.root_test(function(t)
    local log = folder_of(t, [[logs 'a' "b" [c] $d]]) .. "/the *?.log"
    rotates(t, log, ("pidfile = false, log = %q,"):format(log))
  end))
end)
