-- Workers in control groups of their own, where cgroup v2 is mounted and the monitor may make them.

local loop = require "support.loop"
local luvd = require "support.luvd"
local namespace = require "support.namespace"
local proc = require "support.proc"
local uv = require "luv"

-- Each worker starts a program that leaves it for a session of its own and outlives who started it.
local service = [[
local uv = require "luv"
local service = {}
function service.start()
  uv.spawn("/bin/sh", { args = { "-c", "setsid sleep 3600 &" } }, function() end)
end
return service
]]

local function file(t)
  t:own_binary()
  t:file(service, "helper.lua")
  return t:file [[
return { service = "./helper.lua", user = "root", workers = 2, listen = { web = "tcp://127.0.0.1:0" } }
]]
end

-- A shell in a fresh group; nil where version 2 cannot be mounted.
local function enter(t)
  local ns = namespace.enter(t)
  if ns:run("mkdir ns/cgroup && mount -t cgroup2 none ns/cgroup").code ~= 0 then return end
  ns.group = "ns/cgroup/" .. t.name
  ns:must(("mkdir %s && echo $$ >%s/cgroup.procs"):format(ns.group, ns.group))
  if ns:run(("test -e %s/cgroup.kill"):format(ns.group)).code == 0 then return ns end
  ns:must(("echo $$ >ns/cgroup/cgroup.procs && rmdir %s"):format(ns.group))
end

-- A test in such a shell; what it has made must be gone at its end.
local function grouped(body)
  return luvd.root_test(function(t)
    local ns = enter(t)
    if not ns then return pending "this kernel has no cgroup v2 that can be mounted, or no cgroup.kill" end
    t:finally(function()
      ns:run(("echo $$ >ns/cgroup/cgroup.procs; echo 1 >%s/cgroup.kill"):format(ns.group))
      loop.poll(function() return ns:run(("rmdir %s/*/; rmdir %s"):format(ns.group, ns.group)).code == 0 end, 1000)
    end)
    body(t, ns)
    ns:must "echo $$ >ns/cgroup/cgroup.procs"
    ns:wait_for("rmdir " .. ns.group)
  end)
end

-- { [group] = { pid = true } }
local function groups(ns)
  local found = {}
  local script = "for g in %s/luvd.*/; do test -d $g || continue; echo $g; cat $g/cgroup.procs; done; true"
  local out = ns:must(script:format(ns.group))
  local group
  for line in out:gmatch "[^\n]+" do
    if line:find "^ns/" then
      group = {}
      found[line:match "([^/]+)/$"] = group
    else
      group[math.tointeger(tonumber(line))] = true
    end
  end
  return found
end

-- { [worker's pid] = { group, helper's pid } } once each worker has both, and no other group is there.
local function settled(d, ns)
  return loop.wait_for("a group for each worker, with a helper", function()
    local found, all, count = {}, groups(ns), 0
    for name, pids in pairs(all) do
      count = count + 1
      for number = 1, 2 do
        local ok, worker = pcall(d.worker, d, number)
        if ok and pids[worker] then
          for pid in pairs(pids) do
            local status = pid ~= worker and proc.status(pid)
            if status and status.Name[1] == "sleep" then found[worker] = { name, pid } end
          end
        end
      end
    end
    local first, second = found[d:worker(1)], found[d:worker(2)]
    return count == 2 and first and second and found
  end)
end

local function gone(found)
  for _, one in pairs(found) do proc.wait_end(one[2]) end
end

local function start(t, ns)
  local path = file(t)
  ns:must(("%s start %s"):format(t.binary, path))
  return t:attach(path)
end

describe("a worker's control group", function()
  it("ends with the worker, with all that is in it; the others' helpers live", grouped(function(t, ns)
    local d = start(t, ns)
    local before = settled(d, ns)
    local killed, other = d:worker(1), d:worker(2)
    assert.matches(("^luvd%%.%s%%.1%%.1%%.%d%%-%%d+$"):format(t.name, d.pid), before[killed][1])
    uv.kill(killed, "sigkill")
    proc.wait_end(before[killed][2])
    local after = settled(d, ns)
    assert.same(before[other], after[other])
    assert.is_nil(after[killed])
    d:stop()
    gone(after)
    assert.same({}, groups(ns))
  end))

  it("ends with its generation, and by an upgrade", grouped(function(t, ns)
    local d = start(t, ns)
    local first = settled(d, ns)
    t:file(service .. "-- another", "helper.lua")
    local verdict = d:reload()
    assert.equal(0, verdict.code, verdict.err)
    gone(first)
    local second = settled(d, ns)
    assert.matches("%.2%.1%.%d+%-%d+$", second[d:worker(1)][1])
    for _ = 1, 2 do
      t:install()
      verdict = d:upgrade()
      assert.same({ 0, "" }, { verdict.code, verdict.err })
      gone(second)
      second = settled(d, ns)
    end
    d:stop()
    gone(second)
    assert.same({}, groups(ns))
  end))

  it("that a killed monitor has left is removed by the next start", grouped(function(t, ns)
    local d = start(t, ns)
    local left = settled(d, ns)
    d:signal "sigkill"
    for _, one in pairs(left) do uv.kill(one[2], "sigkill") end
    t:assert_no_process()
    local names = groups(ns)
    for _, one in pairs(left) do assert.is_table(names[one[1]]) end
    ns:must(("%s start %s"):format(t.binary, d.file))
    d = t:attach(d.file)
    settled(d, ns)
    d:stop()
    assert.same({}, groups(ns))
  end))

  it("is entered by the worker itself where clone3 is refused", grouped(function(t, ns)
    local path = file(t)
    ns:must(("strace -qq -f -o ns/trace -e trace=clone3 -e inject=clone3:error=ENOSYS %s run %s &"):format(t.binary,
      path))
    ns:wait_for(("%s status %s >ns/status && grep -q running ns/status"):format(t.binary, path))
    local d = t:attach(path)
    local found = settled(d, ns)
    assert.matches("CLONE_INTO_CGROUP", ns:must "cat ns/trace", 1, true)
    d:stop()
    gone(found)
    assert.same({}, groups(ns))
  end))

  it("is not needed: where none can be made the daemon runs as without", grouped(function(t, ns)
    ns:must(("echo 0 >%s/cgroup.max.descendants"):format(ns.group))
    local d = start(t, ns)
    assert.same({}, groups(ns))
    local helpers = loop.wait_for("the helpers", function()
      local list = {}
      for pid in ns:must(("cat %s/cgroup.procs"):format(ns.group)):gmatch "%d+" do
        local status = proc.status(math.tointeger(tonumber(pid)))
        if status and status.Name[1] == "sleep" then list[#list + 1] = { "", math.tointeger(tonumber(pid)) } end
      end
      return #list == 2 and list
    end)
    d:stop()
    gone(helpers)
  end))
end)
