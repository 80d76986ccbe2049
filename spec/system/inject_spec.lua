-- Every system call that sys.h marks required, refused at each occurrence from main on: the start fails with a name
-- and a reason and leaves nothing, or, where the mark allows it, goes on with no more privilege than asked.
--
-- strace counts per process, so `start` reaches the launcher's calls and, of the daemon's, those that it makes more
-- often than the launcher; `run`, one process, reaches the rest. With a worker the same reaches what a monitor does
-- besides; the worker itself is stopped at its execution until a strace of its own looks at it.

local jailed = require "support.jailed"
local loop = require "support.loop"
local luvd = require "support.luvd"
local marks = require "support.marks"
local proc = require "support.proc"
local trace = require "support.trace"
local uv = require "luv"

-- An error that this call really knows; EPERM for the rest.
local errors = {
  openat = "EMFILE", socket = "EMFILE", socketpair = "EMFILE", pipe2 = "EMFILE", memfd_create = "EMFILE",
  signalfd4 = "EMFILE", clone = "EAGAIN", bind = "EACCES", write = "ENOSPC", pwrite64 = "ENOSPC", ftruncate = "EIO",
  pread64 = "EIO", mmap = "ENOMEM", mkdirat = "ENOSPC", listen = "EADDRINUSE", connect = "ECONNREFUSED",
  newfstatat = "EACCES", getcwd = "ENOENT", chdir = "EACCES",
}

-- Calls of the C library and of libuv whose result they do not look at or that they do another way: nobody can know.
local unseen = {
  "^rt_sigprocmask%(SIG_BLOCK, ~%[", -- around clone and timer_create
  "^rt_sigprocmask%(SIG_SETMASK, .*, NULL, 8%)",
  "^rt_sigprocmask%(SIG_UNBLOCK, %[RTMIN RT_1%]", -- in a new thread
  "^write%(%d+, \"\\1\\0\\0\\0\\0\\0\\0\\0\", 8%)", -- wakes a thread that wakes by itself too
  "^write%(%d+, \"luvd_spec_[%w_]+: ready", -- the line of run for the terminal
  "^rt_sigaction%(SIGRT_1,", -- pthread_create's own signal
  "^mkdirat%(%d+, \"luvd%.luvd_spec", -- a worker's control group
  "^write%(5, \"", -- a line of a worker's log, which is lost
  "^prlimit64%(0, RLIMIT_STACK, NULL", -- the size of a thread's stack: a default
  "^mmap%(NULL, %d+, PROT_[A-Z_|]+, MAP_PRIVATE|MAP_ANONYMOUS", -- malloc tries another way
}

-- --- where to refuse ---

-- What a call is about, without its numbers and its answer: loops make one of a kind after the other.
local function kind(call)
  return (call.text:gsub(" = .*", ""):gsub("%f[%w_]CAP_[%w_]+", ""):gsub("%d+", ""))
end

local function is_main(call)
  -- The row stdio is the first thing that main does.
  return call.text:match "^fcntl%(0, F_GETFD"
end

-- The calls of a start, with the number strace gives each: those that the loader has made before main cannot be told
-- from later ones of a child, so their numbers are left out. With workers what the launcher does is known already.
local function of_start(calls, workers)
  local counts, loader, found, main = {}, {}, {}, false
  local launcher = calls[1].pid
  for _, call in ipairs(calls) do
    local count = counts[call.pid] or {}
    counts[call.pid] = count
    count[call.name] = (count[call.name] or 0) + 1
    main = main or is_main(call)
    if not main then
      loader[call.name] = count[call.name]
    elseif call.pid == launcher and workers > 0 then
      loader[call.name] = count[call.name]
    elseif call.pid == launcher or count[call.name] > (loader[call.name] or 0) then
      found[call.name] = found[call.name] or {}
      found[call.name][count[call.name]] = kind(call)
    end
  end
  assert(main, "main was not found in the trace")
  return found
end

-- Of `run` only what comes after the bundle is sealed: the rows that `start` takes in the daemon.
local function of_run(calls)
  local count, found, sealed = {}, {}, false
  for _, call in ipairs(calls) do
    if call.pid == calls[1].pid then
      count[call.name] = (count[call.name] or 0) + 1
      if sealed then
        found[call.name] = found[call.name] or {}
        found[call.name][count[call.name]] = kind(call)
      end
      sealed = sealed or call.text:match "F_ADD_SEALS"
    end
  end
  assert(sealed, "the bundle was not found in the trace")
  return found
end

-- Of the worker what comes between main and its READY, counted from its execution on.
local function of_worker(calls)
  local worker, ready, main
  for i, call in ipairs(calls) do
    worker = worker or call.text:match "^execveat" and call.pid
    if call.pid == worker and call.name == "sendmsg" then ready = i end
  end
  local count, found = {}, {}
  for i = 1, assert(ready, "no worker was found in the trace") do
    local call = calls[i]
    if call.pid ~= worker then goto continue end
    count[call.name] = (call.name == "execveat" and 0 or count[call.name] or 0) + 1
    if call.name == "execveat" then count = {} end
    main = main or call.text:match "^fcntl%(0, F_GETFD"
    if main then
      found[call.name] = found[call.name] or {}
      found[call.name][count[call.name]] = kind(call)
    end
    ::continue::
  end
  return found
end

-- In order. Of a row of calls that differ in a number only, such as a look at each descriptor or a reading of each
-- capability, the first and the last.
local function sorted(set)
  local all, list = {}, {}
  for n in pairs(set or {}) do all[#all + 1] = n end
  table.sort(all)
  for i, n in ipairs(all) do
    local first = i == 1 or set[all[i - 1]] ~= set[n]
    local last = i == #all or set[all[i + 1]] ~= set[n]
    if first or last then list[#list + 1] = n end
  end
  return list
end

-- With a worker each call is refused the first and the last time: the sweep over all is that without.
local function few(list, workers)
  if workers == 0 or #list < 3 then return list end
  return { list[1], list[#list] }
end

-- --- starting ---

-- One of both may be what was refused.
local function is_ready(t)
  return (proc.slurp(t.folder .. "/the.log") or ""):find("ready, pid", 1, true)
    or (proc.slurp(t.folder .. "/output.err") or ""):find(": ready, pid", 1, true)
end

-- Runs `luvd start` or `luvd run` to its verdict: the child, and the calls.
local function try(t, command, file, expressions)
  os.remove(t.folder .. "/the.log")
  local child, calls = trace.spawn(t, { luvd.binary, command, file }, expressions)
  local verdict = loop.poll(function() return child.code or command == "run" and is_ready(t) end)
  if not verdict then
    local made, last = calls(), {}
    for i = math.max(1, #made - 20), #made do last[#last + 1] = made[i].pid .. " " .. made[i].text end
    error(("no verdict of %s:\n%s"):format(tostring(child), table.concat(last, "\n")), 0)
  end
  return child, calls
end

-- The same of `luvd start`, where the calls are those of the worker alone: it stops at its execution, and goes on when
-- another strace has it.
local function try_worker(t, file, expressions)
  local child, calls = trace.spawn(t, { luvd.binary, "start", file },
    { "-I2", "-e", "trace=execveat", "-e", "inject=execveat:signal=SIGSTOP:when=1" })
  local function state(pid) return (proc.status(pid) or { State = {} }).State[1] end
  local worker = loop.wait_for("the worker", function()
    local call = calls()[1]
    return call and call.text:find("= 0", 1, true) and state(call.pid) == "t" and call.pid
  end)
  uv.kill(worker, "sigstop") -- the first may be lost when strace leaves; both end with the sigcont
  trace.leave(t)
  loop.wait_for("it to be stopped", function() return state(worker) == "T" end)
  local own
  own, calls = trace.attach(t, worker, expressions)
  loop.wait_for("strace", function() return math.tointeger(tonumber(proc.status(worker).TracerPid[1])) == own.pid end)
  uv.kill(worker, "sigcont")
  child:wait_exit()
  return child, calls
end

local function stop(t, child, file)
  t:luvd { "stop", file }
  child:wait_exit()
  trace.finish(t)
end

-- --- judging ---

-- A failed start: told with step and reason, or with the signal where libuv itself aborts.
local function judge_failure(result, hits)
  if result.signal ~= 0 then return result.signal ~= 6 and ("signal %d"):format(result.signal) end
  if result.code ~= 1 and result.code ~= 2 then return ("exit code %d"):format(result.code) end
  -- The telling is a write too.
  local told = result.err:match "^luvd: [^\n]+: [^\n]+" or result.err:match "\nluvd: [^\n]+: [^\n]+"
    or hits:match "write%(2, \"luvd: "
  if not told then return "no step and reason" end
end

-- What it leaves: nothing. `run` has no launcher that could remove what a confined process cannot.
local function judge_rest(t, command)
  local ok, problem = pcall(command == "run" and t.assert_stopped or t.assert_nothing_left, t)
  if not ok then return problem end
end

-- A start that has succeeded all the same.
local function judge_success(t, file, asked, hit, may)
  local running, d = pcall(t.attach, t, file)
  if not running then return "exit code 0, but it does not run" end
  local status = proc.status(d:worker())
  for key, value in pairs(jailed.privileges(status)) do
    if value ~= asked[key] then return ("runs with %s %s, not %s"):format(key, value, asked[key]) end
  end
  for _, pattern in ipairs(unseen) do may = may or hit:match(pattern) end
  may = may or (proc.slurp(t.folder .. "/the.log") or ""):match " warn +[^\n]*: operation not permitted"
  if not may then return "started all the same" end
end

local function one(t, command, file, asked, name, n, may)
  local expressions = { "-e", ("inject=%s:error=%s:when=%d"):format(name, errors[name] or "EPERM", n) }
  local result, calls
  if command == "worker" then
    result, calls = try_worker(t, file, expressions)
  else
    result, calls = try(t, command, file, expressions)
  end
  local hits = {}
  for _, call in ipairs(calls()) do hits[#hits + 1] = call.injected and call.text or nil end
  local once = #hits < 2
  hits = table.concat(hits, "\n    ")
  local problem
  if result.code and (result.code ~= 0 or result.signal ~= 0) then
    problem = judge_failure(result, hits)
    trace.finish(t)
  else
    problem = hits ~= "" and judge_success(t, file, asked, hits, may)
    stop(t, result, file)
  end
  -- Who takes back what another process has made may have been refused that: two faults are none of ours.
  if once then problem = problem or judge_rest(t, command) end
  if command == "run" or not once then t:luvd { "stop", file } end
  return problem and ("%s, %s #%d: %s\n    %s\n    %s"):format(command, name, n, problem, hits, result.err or "")
end

-- An unharmed start of the file in t: where the calls are, and what was asked for.
local function look(t, command, file, workers)
  local child, calls = try(t, command == "worker" and "start" or command, file)
  assert.is_true(child.code == 0 or command == "run" and not child.code, child.err)
  local made, asked = calls(), jailed.privileges(proc.status(t:attach(file):worker()))
  stop(t, child, file)
  assert.same({ "65534 65534 65534 65534", 1, "1" }, { asked.uid, asked.groups, asked.no_new_privs })
  local places = { start = of_start, run = of_run, worker = of_worker }
  return { found = places[command](made, workers), asked = asked }
end

for workers, commands in pairs { [0] = { "start", "run" }, [1] = { "start", "run", "worker" } } do
  local who = workers == 0 and "" or " of a monitor with its worker"

  describe("a system call that fails during the start" .. who .. " #plain", function()
    local known = marks.read()

    -- The same in every test.
    local known_baseline = {}
    local function baseline(t, command, file)
      known_baseline[command] = known_baseline[command] or look(t, command, file, workers)
      return known_baseline[command].found, known_baseline[command].asked
    end

    it("is one of those that sys.h names", function()
      assert.is_true(#marks.sorted(known.required) > 30)
    end)

    for _, name in ipairs(marks.sorted(known.required)) do
      local may = known.optional[name] or known.ignored[name]
      it(("ends the start with a reason and leaves nothing: %s"):format(name), luvd.root_test(function(t)
        local file, problems = jailed.file(t, workers), {}
        for _, command in ipairs(commands) do
          local found, asked = baseline(t, command, file)
          for _, n in ipairs(few(sorted(found[name]), workers)) do
            problems[#problems + 1] = one(t, command, file, asked, name, n, may)
          end
        end
        assert.equal("", table.concat(problems, "\n"))
      end))
    end
  end)
end
