-- Every system call that sys.h marks required, refused at each occurrence from main on: the start fails with a name
-- and a reason and leaves nothing, or, where the mark allows it, goes on with no more privilege than asked.

local jailed = require "support.jailed"
local luvd = require "support.luvd"
local marks = require "support.marks"
local proc = require "support.proc"
local trace = require "support.trace"

-- An error that this call really knows; EPERM for the rest.
local errors = {
  openat = "EMFILE", socket = "EMFILE", socketpair = "EMFILE", pipe2 = "EMFILE", memfd_create = "EMFILE",
  signalfd4 = "EMFILE", clone = "EAGAIN", bind = "EACCES", write = "ENOSPC", pwrite64 = "ENOSPC", ftruncate = "EIO",
  pread64 = "EIO", mmap = "ENOMEM", mkdirat = "ENOSPC", listen = "EADDRINUSE", connect = "ECONNREFUSED",
  newfstatat = "EACCES", getcwd = "ENOENT", chdir = "EACCES",
}

-- name -> the numbers at which a process makes the call from main on: for the launcher (the first process) its own
-- count goes on from the loader's.
local function occurrences(calls)
  local counts, found, main = {}, {}, false
  local launcher = calls[1].pid
  for _, call in ipairs(calls) do
    counts[call.pid] = counts[call.pid] or {}
    local n = (counts[call.pid][call.name] or 0) + 1
    counts[call.pid][call.name] = n
    -- The row stdio is the first thing that main does.
    main = main or call.text:match "^fcntl%(0, F_GETFD" or call.text:match "^fstat%(0," or
      call.text:match "^newfstatat%(0,"
    if main or call.pid ~= launcher then
      found[call.name] = found[call.name] or {}
      found[call.name][n] = true
    end
  end
  assert(main, "main was not found in the trace")
  return found
end

local function sorted(set)
  local list = {}
  for n in pairs(set) do list[#list + 1] = n end
  table.sort(list)
  return list
end

-- A failed start: told, and gone without a trace.
local function judge_failure(t, result)
  if result.code ~= 1 then return ("exit code %d"):format(result.code) end
  if not result.err:match "^luvd: [^\n]+: [^\n]+" then return "no step and reason" end
  local ok, problem = pcall(t.assert_nothing_left, t)
  if not ok then return problem end
end

-- A start that has succeeded all the same.
local function judge_success(t, file, result, asked, may)
  local status = proc.status(t:attach(file).pid)
  for key, value in pairs(jailed.privileges(status)) do
    if value ~= asked[key] then return ("runs with %s %s, not %s"):format(key, value, asked[key]) end
  end
  if not may then return "started all the same" .. result.err end
end

local function one(t, file, asked, name, n, may)
  local result, calls = trace.run(t, { luvd.binary, "start", file },
    { "-e", ("inject=%s:error=%s:when=%d"):format(name, errors[name] or "EPERM", n) })
  local hit
  for _, call in ipairs(calls()) do hit = hit or call.injected and call.text end
  local problem
  if result.code == 0 then
    problem = hit and judge_success(t, file, result, asked, may)
    t:luvd { "stop", file }
  else
    problem = judge_failure(t, result)
  end
  trace.finish(t)
  local _, left = pcall(t.assert_nothing_left, t)
  problem = problem or left
  return problem and ("%s #%d: %s\n    %s\n    %s"):format(name, n, problem, hit or "not reached", result.err)
end

describe("a system call that fails during the start #plain", function()
  local known = marks.read()

  it("is named by sys.h", function()
    assert.is_true(#marks.sorted(known.required) > 30)
  end)

  for _, name in ipairs(marks.sorted(known.required)) do
    local may = known.optional[name] or known.ignored[name]
    it(("ends the start with a reason and leaves nothing: %s"):format(name), luvd.root_test(function(t)
      local file = jailed.file(t)
      local child, calls = trace.run(t, { luvd.binary, "start", file })
      assert.equal(0, child.code, child.err)
      local made = calls()
      local asked = jailed.privileges(proc.status(t:attach(file).pid))
      t:luvd { "stop", file }
      trace.finish(t)
      assert.same({ "65534 65534 65534 65534", 1, "1" }, { asked.uid, asked.groups, asked.no_new_privs })
      local problems = {}
      for _, n in ipairs(sorted(occurrences(made)[name] or {})) do
        problems[#problems + 1] = one(t, file, asked, name, n, may)
      end
      assert.equal("", table.concat(problems, "\n"))
    end))
  end
end)
