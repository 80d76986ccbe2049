-- The printed plan beside what the kernel saw.

local jailed = require "support.jailed"
local luvd = require "support.luvd"
local trace = require "support.trace"

luvd.classic()

-- What is characteristic of a step in a trace; a step that is not named here makes no call of its own that could be
-- told from others'. The first call that matches, or the one of the number given.
local signs = {
  { "context", "^close_range%(" },
  { "lock", "^openat%(.*\"lock\"" },
  { "pidfile", "^openat%(.*%.pid\"" },
  { "paths", "^mkdirat%(.*luvd_spec", 2 }, -- the first is the folder of the lock
  { "listen", "^bind%(.*sin_port" },
  { "files", "^openat%(.*series\"" },
  { "log", "^openat%(.*the%.log\"" },
  { "bundle", "^memfd_create%(" },
  { "detach", "^setsid%(" },
  { "record", "^openat%(.*record" },
  { "control", "^rename%w*%(.*control\"" },
  { "limits", "^prlimit64%(0, RLIMIT_NOFILE, {" },
  { "chroot", "^chroot%(" },
  { "identity", "^setgroups%(" },
  { "confine", "^prctl%(PR_SET_NO_NEW_PRIVS" },
  { "loop", "^epoll_create1?%(" },
}

local function plan_of(t, file)
  local result = t:luvd { "plan", file, "--json" }
  assert.equal(0, result.code, result.err)
  local names = {}
  for i, step in ipairs(luvd.json.decode(result.out).steps) do names[i] = step.step end
  return names
end

describe("the plan #plain", function()
  it("names the steps in the order in which a trace of the start shows them", luvd.root_test(function(t)
    local file = jailed.file(t)
    local place = {}
    for i, name in ipairs(plan_of(t, file)) do place[name] = i end
    local child, calls = trace.run(t, { luvd.binary, "start", file })
    assert.equal(0, child.code, child.err)
    t:luvd { "stop", file }
    trace.finish(t)
    local made, last, seen = calls(), 0, {}
    for _, sign in ipairs(signs) do
      local name, pattern, nth = sign[1], sign[2], sign[3] or 1
      assert.is_number(place[name], name .. " is not in the plan")
      for i, call in ipairs(made) do
        nth = nth - (call.text:match(pattern) and 1 or 0)
        if nth == 0 then
          seen[#seen + 1] = { name = name, planned = place[name], call = i }
          break
        end
      end
      assert.equal(name, seen[#seen].name, "no call of this step in the trace")
    end
    table.sort(seen, function(a, b) return a.planned < b.planned end)
    for _, one in ipairs(seen) do
      assert.is_true(one.call > last, ("%s was taken too early: %s"):format(one.name, made[one.call].text))
      last = one.call
    end
  end))

  it("has the drop of privileges after all that needs them, and threads after that", luvd.root_test(function(t)
    local file = jailed.file(t)
    local child, calls = trace.run(t, { luvd.binary, "start", file })
    assert.equal(0, child.code, child.err)
    t:luvd { "stop", file }
    trace.finish(t)
    local order = {}
    for _, call in ipairs(calls()) do
      for _, pattern in ipairs { "^chroot%(", "^setgroups%(", "^setresgid%(65534, 65534,", "^setresuid%(65534, 65534,",
        "^prctl%(PR_SET_NO_NEW_PRIVS", "^epoll_create1?%(", "^clone3?%(.*CLONE_THREAD" } do
        if call.text:match(pattern) and not order[pattern] then
          order[pattern] = true
          order[#order + 1] = call.name
        end
      end
    end
    assert.same({ "chroot", "setgroups", "setresgid", "setresuid", "prctl", "epoll_create1" },
      table.move(order, 1, 6, 1, {}))
  end))
end)
