-- What a program asks of the kernel, and what happens when the kernel refuses.
--
-- strace -D stays out of the way: the program is our child, the tracer a stranger.

local loop = require "support.loop"
local proc = require "support.proc"
local uv = require "luv"

local trace = {}

---@class support.call
---@field pid integer
---@field name string
---@field text string the whole call with arguments and result
---@field injected boolean

--- Reads a file of `strace -f -o` into a list of calls, in the order of their beginning.
function trace.read(path)
  local calls, open = {}, {}
  for line in (proc.slurp(path) or ""):gmatch "[^\n]+" do
    local pid, text = line:match "^(%d+) +(.*)$"
    local name = text and text:match "^([%w_]+)%("
    if name then
      local call = { pid = math.tointeger(tonumber(pid)), name = name, text = text }
      calls[#calls + 1] = call
      open[pid] = call
    elseif text and text:match "^<%.%.%. .* resumed>" and open[pid] then
      open[pid].text = open[pid].text:gsub(" <unfinished %.%.%.>$", "") .. text:match "resumed>(.*)$"
    end
  end
  for _, call in ipairs(calls) do call.injected = call.text:find("(INJECTED)", 1, true) ~= nil end
  return calls
end

local number = 0

--- Starts `program …` under strace. expressions: arguments of strace. Returns the child and a function that gives the
--- calls made so far.
function trace.spawn(t, arguments, expressions)
  number = number + 1
  local path = ("%s/trace.%d"):format(t.folder, number)
  local line = { "/usr/bin/strace", "-D", "-f", "-qq", "-o", path }
  for _, word in ipairs(expressions or {}) do line[#line + 1] = word end
  for _, word in ipairs(arguments) do line[#line + 1] = word end
  return t:spawn(line, { files = t.folder .. "/output" }), function() return trace.read(path) end
end

--- Looks at a process that runs already: the strace, and the function.
function trace.attach(t, pid, expressions)
  number = number + 1
  local path = ("%s/trace.%d"):format(t.folder, number)
  local line = { "/usr/bin/strace", "-f", "-qq", "-o", path, "-p", ("%d"):format(pid) }
  for _, word in ipairs(expressions or {}) do line[#line + 1] = word end
  local child = t:spawn(line)
  t.attached = t.attached or {}
  table.insert(t.attached, child)
  return child, function() return trace.read(path) end
end

local function tracers(t)
  return proc.find(function(pid)
    return (proc.slurp(("/proc/%d/cmdline"):format(pid)) or ""):find(t.folder .. "/trace.", 1, true)
  end)
end

--- Lets all go on without a tracer.
function trace.leave(t)
  for _, pid in ipairs(tracers(t)) do uv.kill(pid, "sigterm") end
  trace.finish(t)
end

--- The same as spawn, and waits for the exit of its first process.
function trace.run(t, arguments, expressions)
  local child, calls = trace.spawn(t, arguments, expressions)
  child:wait_exit()
  return child, calls
end

--- Waits until no tracer of this test is left.
function trace.finish(t)
  loop.wait_for("the end of strace", function() return #tracers(t) == 0 end)
  for _, child in ipairs(t.attached or {}) do child:wait_exit() end
  t.attached = nil
end

return trace
