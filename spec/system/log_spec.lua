local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local namespace = require "support.namespace"
local proc = require "support.proc"
local services = require "support.services"
local tree = require "support.tree"
local uv = require "luv"

local quote = string.format

-- Logs every line that a client sends.
local function chronicler(keys, more)
  return services.start([[net.serve(daemon.listeners.web, function(conn)
        for line in conn:lines() do
          daemon.log:info(line, { n = #line })
          conn:write "noted\n"
        end
      end)
      ]] .. (more or ""), [[listen = { web = "tcp://127.0.0.1:0" }, ]] .. (keys or ""))
end

local function note(d, line)
  assert.equal("noted\n", client.ask(d:address(), line .. "\n"))
end

local function lines(text)
  local list = {}
  for line in text:gmatch "([^\n]*)\n" do list[#list + 1] = line end
  return list
end

describe("the log", function()
  it("is a file when the daemon file says so, and closed to others", luvd.test(function(t)
    local path = t.folder .. "/the.log"
    local d = t:start(t:file(chronicler(quote("log = %q,", path))))
    d.logs = path
    note(d, "first entry")
    d:wait_log "first entry"
    assert.equal(0, uv.fs_stat(path).mode & tonumber("027", 8))
    d:stop()
  end))

  it("is one JSON object a line, whatever is in it", luvd.test(function(t)
    local path = t.folder .. "/the.log"
    local d = t:start(t:file(chronicler(quote("log = { to = %q, format = 'json' },", path))))
    d.logs = path
    local odd = 'quote " backslash \\ tab \t escape \27[31m utf8 \u{e4} broken \xff\xfe end'
    note(d, odd)
    d:wait_log "broken"
    d:stop()
    local seen
    for _, line in ipairs(lines(d:log())) do
      local entry, _, problem = luvd.json.decode(line)
      assert.is_table(entry, ("%s: %s"):format(problem, line))
      for _, value in pairs(entry) do
        if type(value) == "string" and value:find(odd:match "^(.*) broken", 1, true) then seen = true end
      end
    end
    assert.is_true(seen)
  end))

  it("never carries a control character of the service to a terminal", luvd.test(function(t)
    local path = t.folder .. "/the.log"
    local d = t:start(t:file(chronicler(quote("log = %q,", path))))
    d.logs = path
    note(d, "red \27[31m bell \7 delete \127 end of it")
    d:wait_log "end of it"
    d:stop()
    assert.is_nil(d:log():find "[\0-\8\11-\31\127]")
  end))

  it("takes what the process writes to descriptors 1 and 2", luvd.test(function(t)
    local d = t:start(t:file(services.start [[print "from print"; io.stderr:write "from stderr\n"]]))
    d:wait_log "from print"
    d:wait_log "from stderr"
    d:stop()
  end))

  it("leaves out what is below its level", luvd.test(function(t)
    local path = t.folder .. "/the.log"
    local d = t:start(t:file(chronicler(quote("log = { to = %q, level = 'warn' },", path),
      [[daemon.log:info "too low"; daemon.log:warn "high enough"]])))
    d.logs = path
    d:wait_log "high enough"
    d:stop()
    assert.is_nil(d:log():match "too low")
  end))

  it("changes its level live, for the service and for the host", luvd.test(function(t)
    local d = t:start(t:file(services.eval()))
    local function ask(text) return client.ask(d:address(), text .. "\n") end
    ask [[daemon.log:debug "too low"]]
    assert.equal("info\n", ask [[daemon.log:level "debug"]])
    ask [[daemon.log:debug "low enough"]]
    d:wait_log "low enough"
    assert.equal("debug\n", ask [[daemon.log:level "error"]])
    ask [[daemon.log:warn "too low"]]
    ask [[daemon.log:error "the last"]]
    d:wait_log "the last"
    d:stop()
    assert.is_nil(d:log():match "too low")
  end))

  it("has a line that repeats once, and how often it came", luvd.test(function(t)
    local d = t:start(t:file(chronicler(nil, [[for _ = 1, 500 do daemon.log:warn("again", { code = 7 }) end
      daemon.log:warn("again", { code = 8 })]])))
    d:wait_log "code=8"
    local logs = t:luvd({ "logs", d.file }).out
    for _, text in ipairs { logs, d:log() } do
      local _, count = text:gsub("again code=7", "")
      assert.equal(1, count)
      assert.matches("again code=7\n[^\n]* warn  [^\n]* last message repeated count=499\n[^\n]* again code=8\n", text)
    end
    d:stop()
  end))

  it("of start may not be a pipe of the launcher", luvd.test(function(t)
    local result = t:failed_start(t:file(chronicler [[log = "stderr",]]))
    assert.not_equal(0, result.code)
    assert.matches(":4: log", result.err, 1, true)
  end))

  it("goes on in a new file after USR1, and keeps the old one when that fails", luvd.test(function(t)
    local folder = t.folder .. "/logs"
    uv.fs_mkdir(folder, tonumber("755", 8))
    if t.uid then uv.fs_chown(folder, t.uid, t.gid) end
    local path = folder .. "/the.log"
    local d = t:start(t:file(chronicler(quote("log = %q,", path))))
    d.logs = path
    note(d, "before")
    d:wait_log "before"
    uv.fs_rename(path, path .. ".1")
    d:signal "sigusr1"
    loop.wait_for("a new file", function() return tree.exists(path) end)
    note(d, "after")
    d:wait_log "after"
    assert.matches("before", proc.slurp(path .. ".1"))
    assert.is_nil(d:log():match "before")
    uv.fs_rename(folder, folder .. ".gone")
    d.logs = folder .. ".gone/the.log"
    d:signal "sigusr1"
    d:wait_log "no such file"
    note(d, "still there")
    d:wait_log "still there"
    d:stop()
  end))

  it("that nobody reads does not stop the service, and losses are told", luvd.test(function(t)
    local child = t:spawn({ luvd.binary, "run", t:file(chronicler([[log = "stderr",]],
      [[luvd.every("1ms", function()
          for i = 1, 500 do daemon.log:info(i .. ("x"):rep(500)) end
        end)]])) }, { unread = true })
    local file = t.folder .. "/" .. t.name .. ".lua"
    loop.wait_for("ready", function() return t:luvd({ "status", file }).code == 0 end)
    local d = t:attach(file)
    -- Far more than a pipe and any bounded queue hold.
    loop.wait_for("lost lines", function()
      note(d, "hello")
      return proc.status(d.pid).VmRSS
    end)
    for _ = 1, 50 do note(d, "hello") end
    assert.is_true(proc.resident(d.pid) < (luvd.sanitized and 512 or 64) * 1024)
    child:read()
    child:wait_output("err", "lost")
    d:signal "sigterm"
    child:wait()
    assert.equal(0, child.code)
  end))

  it("that nobody reads does not stop the stop", luvd.test(function(t)
    local child = t:spawn({ luvd.binary, "run", t:file(chronicler([[log = "stderr", timeouts = { stop = "1s" },]],
      [[for i = 1, 5000 do daemon.log:info(i .. ("x"):rep(500)) end]])) }, { unread = true })
    local file = t.folder .. "/" .. t.name .. ".lua"
    loop.wait_for("ready", function()
      return t:luvd({ "status", file, "--json" }).out:find('"state":"running"', 1, true)
    end)
    uv.kill(child.pid, "sigterm")
    child:wait_exit(10000)
    assert.same({ 0, 0 }, { child.code, child.signal })
    child:read()
  end))
end)

describe("a full disk", function()
  it("under the pidfile fails the start and names it", luvd.root_test(function(t)
    local ns = namespace.enter(t)
    local disk = ns:disk(64)
    local file = t:file(services.echo(quote("pidfile = %q,", disk .. "/the.pid")))
    ns:must "dd if=/dev/zero of=ns/disk/fill bs=4k count=64 2>/dev/null; true"
    local result = ns:run(("%s start %s"):format(luvd.binary, file))
    assert.equal(1, result.code)
    assert.matches("the.pid", result.err, 1, true)
    assert.matches("no space left on device", result.err)
    assert.equal(1, ns:run("test -e ns/disk/the.pid").code)
    t:assert_nothing_left()
  end))

  it("under the log does not stop the service; what is lost is told when there is room", luvd.root_test(function(t)
    local ns = namespace.enter(t)
    local disk = ns:disk(64)
    local file = t:file(chronicler(quote("log = %q,", disk .. "/the.log")))
    ns:must "dd if=/dev/zero of=ns/disk/fill bs=4k count=64 2>/dev/null; true"
    ns:must(("%s start %s"):format(luvd.binary, file))
    local d = t:attach(file)
    for i = 1, 100 do note(d, "entry " .. i) end
    ns:must "rm ns/disk/fill"
    ns:wait_for "grep lost ns/disk/the.log"
    note(d, "there is room")
    ns:wait_for "grep room ns/disk/the.log"
    d:stop()
  end))
end)

describe("a real log daemon", function()
  local function hears(t, ns, keys, command)
    local file = t:file(chronicler(keys))
    ns:must(("%s start %s"):format(luvd.binary, file))
    local d = t:attach(file)
    note(d, "heard by the log daemon")
    local heard = ns:wait_for(command)
    d:stop()
    return heard
  end

  local function journald(t)
    local ns = namespace.enter(t)
    ns:must "mkdir -p /run/systemd/journal; ln -s /run/systemd/journal/dev-log /dev/log"
    ns:must "/lib/systemd/systemd-journald & :"
    ns:wait_for "test -S /run/systemd/journal/socket && test -S /run/systemd/journal/dev-log"
    return ns
  end

  local function needs(path, body)
    local test = luvd.root_test(body)
    return function()
      if not tree.exists(path) then pending(path .. " is not installed") end
      test()
    end
  end

  it("journald hears the daemon, with level, name and fields", needs("/lib/systemd/systemd-journald", function(t)
    local ns = journald(t)
    local heard = hears(t, ns, [[log = "journal", user = "nobody",]],
      "journalctl -D /run/log/journal -o json --no-pager --sync 2>/dev/null; "
      .. "journalctl -D /run/log/journal -o json --no-pager | grep 'heard by the log daemon'")
    local entry = luvd.json.decode(heard)
    assert.equal("heard by the log daemon", (entry.MESSAGE:match "^heard by the log daemon"))
    assert.equal("6", entry.PRIORITY)
    assert.equal(t.name, entry.SYSLOG_IDENTIFIER)
  end))

  it("journald hears a daemon in an empty root", needs("/lib/systemd/systemd-journald", function(t)
    hears(t, journald(t), [[log = "journal", user = "nobody", chroot = "auto",]],
      "journalctl -D /run/log/journal -o cat --no-pager | grep 'heard by the log daemon'")
  end))

  it("busybox syslogd hears the daemon, also from an empty root", needs("/usr/bin/busybox", function(t)
    local ns = namespace.enter(t)
    ns:must("busybox syslogd -n -O ns/messages & :")
    ns:wait_for "test -S /dev/log"
    local heard = hears(t, ns, [[log = { to = "syslog", facility = "local3" }, user = "nobody", chroot = "auto",]],
      "grep 'heard by the log daemon' ns/messages")
    assert.matches("local3.info", heard, 1, true)
    assert.matches(t.name, heard, 1, true)
  end))

  it("rsyslogd hears the daemon", needs("/usr/sbin/rsyslogd", function(t)
    local ns = namespace.enter(t)
    tree.write(t.folder .. "/rsyslog.conf", ([[
module(load="imuxsock" SysSock.Name="/dev/log")
template(name="all" type="string"
  string="%%syslogfacility-text%%.%%syslogseverity-text%% %%programname%%[%%procid%%]:%%msg%%\n")
action(type="omfile" file="%s/ns/messages" template="all")
]]):format(t.folder))
    ns:must(("rsyslogd -n -f %s/rsyslog.conf -i %s/rsyslog.pid & :"):format(t.folder, t.folder))
    ns:wait_for "test -S /dev/log"
    local heard = hears(t, ns, [[log = { to = "syslog", facility = "daemon" }, user = "nobody",]],
      "grep 'heard by the log daemon' ns/messages")
    assert.matches(("^daemon.info %s%%[%%d+%%]: heard by the log daemon"):format(t.name), heard)
  end))

  it("that restarts is found again", needs("/usr/bin/busybox", function(t)
    local ns = namespace.enter(t)
    ns:must("busybox syslogd -n -O ns/messages & echo $! >ns/pid")
    ns:wait_for "test -S /dev/log"
    local file = t:file(chronicler [[log = "syslog",]])
    ns:must(("%s start %s"):format(luvd.binary, file))
    local d = t:attach(file)
    note(d, "before")
    ns:wait_for "grep before ns/messages"
    ns:must "kill $(cat ns/pid); wait $(cat ns/pid); rm -f /dev/log; busybox syslogd -n -O ns/messages & :"
    ns:wait_for "test -S /dev/log"
    note(d, "lost or not")
    note(d, "after")
    ns:wait_for "grep after ns/messages"
    d:stop()
  end))
end)

describe("logrotate", function()
  it("rotates the log of a running daemon without losing a line", luvd.root_test(function(t)
    local path = t.folder .. "/the.log"
    local d = t:start(t:file(chronicler(quote("log = %q,", path))))
    d.logs = path
    local stanza = t:file(([[
%s {
  rotate 3
  create 0640 root root
  postrotate
    kill -USR1 $(cat /run/%s.pid)
  endscript
}
]]):format(path, t.name), "logrotate.conf")
    for i = 1, 3 do
      note(d, "entry " .. i)
      d:wait_log("entry " .. i)
      local result = t:command { "/usr/sbin/logrotate", "-f", "-s", t.folder .. "/state", stanza }
      assert.same({ 0, "" }, { result.code, result.err })
      d:wait_log "opened anew"
    end
    for i = 1, 3 do
      assert.matches("entry " .. i, proc.slurp(("%s.%d"):format(path, 4 - i)))
    end
    d:stop()
  end))
end)
