-- The log of a confined worker: the monitor has the sink, outside of the chroot and as root.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local namespace = require "support.namespace"
local proc = require "support.proc"
local services = require "support.services"
local tree = require "support.tree"
local uv = require "luv"

local confined = [[workers = 1, user = "nobody", chroot = "auto",]]

local function address(t)
  return "unix:" .. t.folder .. "/socket"
end

-- What start says, and a socket: each line that comes is logged and answered with what answer evaluates to.
local function service(t, keys, start, answer)
  return services.start(([[%s
      net.serve(daemon.listeners.web, function(conn)
        for line in conn:lines() do
          daemon.log:info(line)
          conn:write(tostring(%s) .. "\n")
        end
      end)]]):format(start or "", answer or [["noted"]]),
    ([[listen = { web = %q }, %s]]):format(address(t), keys))
end

local function ask(t, line)
  return client.ask(address(t), line .. "\n"):match "^(.*)\n$"
end

local function note(t, line)
  assert.equal("noted", ask(t, line))
end

local counts = [[local count = 0
      luvd.every("1ms", function()
        for _ = 1, 5 do
          count = count + 1
          daemon.log:info("line " .. count)
        end
      end)]]

-- The numbers of all lines, and that each is there once, in order.
local function assert_complete(text, at_least)
  local last = 0
  for number in text:gmatch ": line (%d+)\n" do
    number = math.tointeger(tonumber(number))
    if number ~= last + 1 then error(("line %d comes after line %d"):format(number, last), 2) end
    last = number
  end
  assert.is_true(last >= at_least, ("%d lines, %d were logged"):format(last, at_least))
end

local function worker_of(d)
  return loop.wait_for("a worker", function()
    return proc.find(function(pid)
      local status = proc.status(pid)
      return status and status.PPid and tonumber(status.PPid[1]) == d.pid
    end)[1]
  end)
end

-- A folder that only root may enter.
local function closed_folder(t)
  local folder = t.folder .. "/logs"
  assert(uv.fs_mkdir(folder, tonumber("700", 8)))
  return folder
end

describe("the log of a confined worker", function()
  it("loses no line while logrotate makes new files where only root can", luvd.root_test(function(t)
    local path = closed_folder(t) .. "/the.log"
    local d = t:start(t:file(service(t, confined .. ("log = %q,"):format(path), counts, "count")))
    d.logs = path
    local stanza = t:file(([[
%s {
  rotate 20
  create 0600 root root
  postrotate
    kill -USR1 $(cat /run/%s.pid)
  endscript
}
]]):format(path, t.name), "logrotate.conf")
    for i = 1, 5 do
      ask(t, "round " .. i)
      local result = t:command { "/usr/sbin/logrotate", "-f", "-s", t.folder .. "/state", stanza }
      assert.same({ 0, "" }, { result.code, result.err })
      d:wait_log "opened anew"
      d:wait_log ": line"
    end
    local logged = tonumber(ask(t, "the end"))
    d:stop()
    local all = {}
    for i = 5, 1, -1 do
      all[#all + 1] = assert(proc.slurp(("%s.%d"):format(path, i)))
      assert.matches(": line %d", all[#all])
    end
    assert_complete(table.concat(all) .. d:log(), logged)
    assert.equal(0, uv.fs_stat(path).uid)
  end))

  it("finds a syslog that was started anew", luvd.root_test(function(t)
    if not tree.exists "/usr/bin/busybox" then error "busybox is not installed" end
    local ns = namespace.enter(t)
    ns:must "busybox syslogd -n -O ns/messages & echo $! >ns/pid"
    ns:wait_for "test -S /dev/log"
    ns:must(("%s start %s"):format(luvd.binary, t:file(service(t, confined .. [[log = "syslog",]]))))
    local d = t:attach(t.folder .. "/" .. t.name .. ".lua")
    note(t, "before")
    ns:wait_for "grep before ns/messages"
    ns:must "kill $(cat ns/pid); wait $(cat ns/pid); rm -f /dev/log; busybox syslogd -n -O ns/messages & :"
    ns:wait_for "test -S /dev/log"
    note(t, "after")
    local heard = ns:wait_for "grep after ns/messages"
    assert.matches(("%s%%[%d%%]: after"):format(t.name, worker_of(d)), heard)
    d:stop()
  end))

  it("goes on in a new file after USR1, and keeps the old one when that fails", luvd.root_test(function(t)
    local folder = closed_folder(t)
    local path = folder .. "/the.log"
    local d = t:start(t:file(service(t, confined .. ("log = %q,"):format(path))))
    note(t, "first")
    d.logs = path
    d:wait_log "first"
    uv.fs_rename(path, path .. ".1")
    d:signal "sigusr1"
    loop.wait_for("a new file", function() return tree.exists(path) end)
    note(t, "second")
    d:wait_log "second"
    assert.is_nil(d:log():match "first")
    uv.fs_rename(folder, folder .. ".gone")
    d.logs = folder .. ".gone/the.log"
    d:signal "sigusr1"
    d:wait_log "no such file"
    note(t, "third")
    d:wait_log "third"
    d:stop()
  end))
end)

describe("a worker", function()
  it("logs under its own pid, what it prints too", luvd.test(function(t)
    local d = t:start(t:file(service(t, "workers = 1,", [[print "from print"; io.stderr:write "from stderr\n"]])))
    local pid = worker_of(d)
    note(t, "from the service")
    d:wait_log(("%%[%d%%]: from the service\n"):format(pid))
    d:wait_log(("%%[%d%%]: from print stream=output\n"):format(pid))
    d:wait_log(("%%[%d%%]: from stderr stream=output\n"):format(pid))
    d:stop()
  end))

  it("that is killed has lost nothing of what it logged", luvd.test(function(t)
    local d = t:start(t:file(service(t, "workers = 1,", nil, [[(function()
            for i = 1, 500 do daemon.log:info("line " .. i) end
            io.stderr:write "assertion failed: the last words\n"
            require "uv".kill(require "uv".os_getpid(), "sigkill")
          end)()]])))
    local pid = worker_of(d)
    ask(t, "die")
    d:wait_log "SIGKILL"
    d:wait_log "last lines[^\n]*: the last words"
    assert_complete(d:log():gsub(": its last lines: [^\n]*", ""), 500)
    local before_the_end = d:log():match "^(.-)[^\n]* was killed by signal"
    assert.matches(("%%[%d%%]: assertion failed: the last words stream=output\n"):format(pid), before_the_end)
    assert.matches(": line 500\n", before_the_end, 1, true)
    loop.wait_for("a new worker", function() return worker_of(d) ~= pid end)
    d:stop()
  end))

  it("serves on while nobody reads the log, and losses are told", luvd.test(function(t)
    local child = t:spawn({ luvd.binary, "run", t:file(service(t, [[workers = 1, log = "stderr",]],
      [[luvd.every("1ms", function()
          for i = 1, 500 do daemon.log:info(i .. ("x"):rep(500)) end
        end)]])) }, { unread = true })
    local file = t.folder .. "/" .. t.name .. ".lua"
    loop.wait_for("ready", function() return t:luvd({ "status", file }).code == 0 end)
    local d = t:attach(file)
    local worker = worker_of(d)
    for _ = 1, 100 do note(t, "hello") end
    for _, pid in ipairs { d.pid, worker } do
      assert.is_true(proc.resident(pid) < (luvd.sanitized and 512 or 64) * 1024)
    end
    child:read()
    child:wait_output("err", "lost")
    d:signal "sigterm"
    child:wait()
    assert.equal(0, child.code)
  end))

  it("that floods the log leaves room for the lines of another", luvd.test(function(t)
    local path = t.folder .. "/the.log"
    local d = t:start(t:file(service(t, ("workers = 2, log = %q,"):format(path),
      [[if daemon.worker == 1 then
          luvd.every("1ms", function()
            for i = 1, 500 do daemon.log:info(i .. ("x"):rep(100)) end
          end)
        end]], "daemon.worker")))
    d.logs = path
    local quiet, asked = {}, 0
    loop.wait_for("20 lines of worker 2", function()
      asked = asked + 1
      local line = ("number %d."):format(asked)
      if ask(t, line) == "2" then quiet[#quiet + 1] = line end
      return #quiet == 20
    end)
    d:stop()
    for _, line in ipairs(quiet) do assert.matches(line, d:log(), 1, true) end
  end))
end)
