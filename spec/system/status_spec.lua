-- What a running daemon tells of itself, with workers and without.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local metrics = require "support.metrics"
local proc = require "support.proc"
local services = require "support.services"
local uv = require "luv"

local function workers(n, keys) return ("workers = %d,\n  %s"):format(n, keys or "") end

local function scrape(t, d)
  local result = t:luvd { "status", d.file, "--metrics" }
  assert.equal(0, result.code, result.err)
  return metrics.parse(result.out)
end

local function talk(d)
  local conn = client.connect(d:address())
  conn:write "x\n"
  conn:read_line()
  return conn
end

for _, n in ipairs { 0, 2 } do
  local what = n == 0 and "a classic daemon" or "a daemon with workers"

  describe("luvd status of " .. what, function()
    it("tells generations, workers, restarts and memory as JSON", luvd.test(function(t)
      local d = t:start(t:file(services.echo(workers(n))))
      local conn = talk(d)
      local status = d:status()
      assert.equal(math.max(n, 1), #status.workers)
      assert.same({ { id = 1, state = "current", workers = math.max(n, 1) } }, status.generations)
      assert.same({ 1, 0, 0 }, { status.generation, status.restarts, status.lines_lost })
      assert.equal(n > 0, status.monitor ~= nil)
      local connections, memory = 0, status.monitor and status.monitor.memory or 0
      for i, worker in ipairs(status.workers) do
        assert.same({ i, 1, "ready", true, 0 },
          { worker.number, worker.generation, worker.state, worker.answered, worker.restarts })
        assert.is_true(proc.alive(worker.pid))
        assert.is_true(worker.lua.memory > 0 and worker.lag >= 0)
        connections = connections + worker.listeners[1].connections
        memory = memory + worker.memory
      end
      assert.equal(1, connections)
      assert.equal(1, status.listeners[1].connections)
      assert.equal(memory, status.memory)
      conn:close()
      d:stop()
    end))

    it("prints metrics that a strict reader takes", luvd.test(function(t)
      local d = t:start(t:file(services.echo(workers(n))))
      local conn = talk(d)
      local page = scrape(t, d)
      for _, name in ipairs { "luvd_up", "luvd_info", "luvd_workers", "luvd_worker_restarts_total",
        "luvd_connections", "luvd_accepted_total", "luvd_resident_bytes", "luvd_lua_bytes", "luvd_tasks",
        "luvd_failed_tasks_total", "luvd_loop_lag_seconds", "luvd_reloads_total",
        "luvd_generation", "luvd_log_lines_lost_total", "luvd_uptime_seconds" } do
        assert.is_table(page[name], name)
        for _, sample in ipairs(page[name].samples) do assert.equal(t.name, sample.labels.daemon) end
      end
      assert.equal(1, metrics.sum(page, "luvd_up"))
      assert.equal(math.max(n, 1), metrics.sum(page, "luvd_workers"))
      assert.equal(math.max(n, 1), metrics.sum(page, "luvd_worker_up"))
      assert.equal(1, metrics.sum(page, "luvd_connections", { listener = "web" }))
      assert.equal(1, metrics.sum(page, "luvd_accepted_total", { listener = "web", generation = "1" }))
      assert.is_true(metrics.sum(page, "luvd_resident_bytes", { process = "worker" }) > 0)
      conn:close()
      d:stop()
    end))

    it("counts failed tasks and the time that Lua kept the loop", luvd.test(function(t)
      local d = t:start(t:file(services.eval(workers(n))))
      client.ask(d:address(), '(function() daemon:spawn(error, "no") end)()\n')
      client.ask(d:address(), "(function() local t = os.clock() while os.clock() < t + 0.05 do end end)()\n")
      local page = scrape(t, d)
      assert.equal(1, metrics.sum(page, "luvd_failed_tasks_total"))
      assert.is_true(metrics.sum(page, "luvd_loop_lag_seconds") > 0.03)
      d:stop()
    end))

    it("proves once more how each worker is confined", luvd.root_test(function(t)
      local d = t:start(t:file(services.echo(workers(n, [[user = "nobody", chroot = "auto", umask = "077",]]))))
      local result = t:luvd { "status", d.file, "--audit" }
      assert.equal(0, result.code, result.out .. result.err)
      assert.is_nil(result.out:find("WRONG", 1, true))
      local _, proofs = result.out:gsub("holds  ids +uid 65534, gid 65534\n", "")
      assert.equal(math.max(n, 1), proofs)
      for _, line in ipairs { "capabilities +none", "umask +077", "root +its own, and no way leads up",
        "no return +uid 0 cannot be had back" } do
        assert.matches("holds  " .. line, result.out)
      end
      local _, outside = result.out:gsub("holds  outside +the monitor sees every thread", "")
      assert.equal(n, outside)
      d:stop()
    end))

    it("fails an audit that does not hold", luvd.root_test(function(t)
      local d = t:start(t:file(services.echo(workers(n, "limits = { nofile = 512 },"))))
      local pid = ("%d"):format(d:status().workers[1].pid)
      assert.equal(0, t:command({ "/usr/bin/prlimit", "--pid", pid, "--nofile=500:500" }).code)
      local result = t:luvd { "status", d.file, "--audit" }
      assert.equal(1, result.code)
      assert.matches("WRONG  limits +the limit nofile is 500, expected 512\n", result.out)
      assert.matches("1 proof does not hold", result.err)
      d:stop()
    end))
  end)
end

describe("luvd status", function()
  it("takes one form at a time", luvd.test(function(t)
    local result = t:luvd { "status", t.name, "--json", "--metrics" }
    assert.equal(2, result.code)
    assert.matches("exclude each other", result.err)
  end))

  it("says luvd_up 0 of a daemon that does not run", luvd.test(function(t)
    local file = t:file(services.echo())
    local result = t:luvd { "status", file, "--metrics" }
    assert.equal(3, result.code)
    assert.equal(0, metrics.sum(metrics.parse(result.out), "luvd_up"))
  end))

  it("shows a worker that does not answer as such, soon", luvd.test(function(t)
    local d = t:start(t:file(services.eval(workers(2))))
    local pid = d:status().workers[1].pid
    uv.kill(pid, "sigstop")
    local began = uv.hrtime()
    local status = d:status()
    uv.kill(pid, "sigcont")
    assert.is_true(uv.hrtime() - began < 3e9)
    assert.same({ false, true }, { status.workers[1].answered, status.workers[2].answered })
    assert.is_nil(status.workers[1].lua)
    loop.wait_for("both to answer", function()
      local now = d:status()
      return now.workers[1].answered and now.workers[2].answered
    end)
    d:stop()
  end))

  it("counts workers that were replaced", luvd.test(function(t)
    local d = t:start(t:file(services.echo(workers(2))))
    uv.kill(d:status().workers[2].pid, "sigkill")
    loop.wait_for("a new worker", function()
      local worker = d:status().workers[2]
      return worker.state == "ready" and worker.restarts == 1
    end)
    assert.equal(1, d:status().restarts)
    assert.equal(1, metrics.sum(scrape(t, d), "luvd_worker_restarts_total"))
    d:stop()
  end))
end)
