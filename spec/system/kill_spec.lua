-- The daemon killed on its way, at every step.

local jailed = require "support.jailed"
local luvd = require "support.luvd"
local proc = require "support.proc"
local trace = require "support.trace"

luvd.classic()

-- The calls that one process of a trace makes, in order.
local function by_process(calls)
  local processes, order = {}, {}
  for _, call in ipairs(calls) do
    if not processes[call.pid] then
      processes[call.pid] = {}
      order[#order + 1] = call.pid
    end
    table.insert(processes[call.pid], call)
  end
  return processes, order
end

-- Places to kill the daemon at: the first calls it makes of each kind, which no process before it makes as often.
local function places(calls)
  local processes, order = by_process(calls)
  local before, found = {}, {}
  for _, pid in ipairs(order) do
    local count = {}
    for _, call in ipairs(processes[pid]) do
      count[call.name] = (count[call.name] or 0) + 1
      if pid ~= order[1] and count[call.name] > (before[call.name] or 0) then
        found[#found + 1] = { name = call.name, when = count[call.name], text = call.text }
      end
    end
    for name, n in pairs(count) do before[name] = math.max(before[name] or 0, n) end
  end
  return found
end

for _, workers in ipairs { 0, 1 } do
  describe(("a daemon with %d workers that is killed during its start #plain"):format(workers), function()
    it("is reported with the signal, and nothing of it is left, wherever it was", luvd.root_test(function(t)
      local file = jailed.file(t, workers)
      local child, calls = trace.run(t, { luvd.binary, "start", file })
      assert.equal(0, child.code, child.err)
      local made = calls()
      t:luvd { "stop", file }
      trace.finish(t)
      local kinds, killed = {}, 0
      for _, place in ipairs(places(made)) do
        -- A few of each kind: every step has calls of its own kind.
        kinds[place.name] = (kinds[place.name] or 0) + 1
        if kinds[place.name] <= 3 then
          local result, after = trace.run(t, { luvd.binary, "start", file },
            { "-e", ("inject=%s:signal=SIGKILL:when=%d"):format(place.name, place.when) })
          local where = ("killed in %s #%d, %s: exit %d, %s"):format(place.name, place.when, place.text, result.code,
            result.err)
          if result.signal == 9 then
            -- So was the launcher, on its way back: the next start finds what it has left.
            t:start(file):stop()
          elseif result.code == 0 then
            -- It was ready already: what was killed is a daemon that runs.
            t:luvd { "stop", file }
          else
            killed = killed + 1
            assert.equal(1, result.code, where)
            assert.matches("signal 9", result.err, 1, true)
            assert.matches("^luvd: %l+: ", result.err)
          end
          trace.finish(t)
          local ok, problem = pcall(t.assert_nothing_left, t)
          assert.is_true(ok, ("%s; %s"):format(where, problem))
          assert.is_nil(proc.slurp(t.folder .. "/side"), where)
          after()
        end
      end
      assert.is_true(killed > 10, killed .. " places")
    end))

    it("can be started again at once", luvd.root_test(function(t)
      local file = jailed.file(t, workers)
      for _, name in ipairs { "setsid", "chroot", "setresuid" } do
        local result = trace.run(t, { luvd.binary, "start", file },
          { "-e", ("inject=%s:signal=SIGKILL"):format(name) })
        assert.equal(1, result.code)
        t:start(file):stop()
      end
      trace.finish(t)
    end))
  end)
end
