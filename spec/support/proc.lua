-- What the kernel says of a process.

local loop = require "support.loop"
local uv = require "luv"

local proc = {}

local function slurp(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local bytes = file:read "a"
  file:close()
  return bytes
end
proc.slurp = slurp

--- The names in a folder, sorted; an empty list when there is none.
function proc.names(folder)
  local names, scan = {}, uv.fs_scandir(folder)
  while scan do
    local name = uv.fs_scandir_next(scan)
    if not name then break end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- /proc/PID/status as a table of words: { Uid = { "0", … }, CapEff = { "0000…" } }, or nil.
function proc.status(pid)
  local text = slurp(("/proc/%d/status"):format(pid))
  if not text or text == "" then return nil end
  local status = {}
  for key, value in text:gmatch "([^\n:]+):\t*([^\n]*)" do
    local words = {}
    for word in value:gmatch "%S+" do words[#words + 1] = word end
    status[key] = words
  end
  return status
end

--- A zombie is gone: it holds nothing, only its parent has not looked yet.
function proc.alive(pid)
  local status = proc.status(pid)
  return status ~= nil and status.State[1] ~= "Z" and status.State[1] ~= "X"
end

function proc.wait_end(pid, within)
  loop.wait_for(("the end of process %d"):format(pid), function() return not proc.alive(pid) end, within)
end

--- Descriptor -> what it refers to ("socket:[123]", "/dev/null").
function proc.descriptors(pid)
  local found, folder = {}, ("/proc/%d/fd"):format(pid)
  for _, name in ipairs(proc.names(folder)) do
    found[math.tointeger(tonumber(name))] = uv.fs_readlink(folder .. "/" .. name) or "?"
  end
  return found
end

--- The environment at its start, as list and as table. (What the process changed since shows only when it wrote over
--- the same memory.)
function proc.environment(pid)
  local text = slurp(("/proc/%d/environ"):format(pid)) or ""
  local list = {}
  for entry in text:gmatch "[^\0]+" do list[#list + 1] = entry end
  return list
end

--- Signal numbers of a mask of status ("SigBlk", "SigIgn", "SigCgt"), sorted; without 32 and 33, which belong to the
--- C library and which no program can set.
function proc.signals(status, field)
  local found, mask = {}, tonumber(status[field][1], 16)
  for number = 1, 64 do
    if mask & (1 << (number - 1)) ~= 0 and number ~= 32 and number ~= 33 then found[#found + 1] = number end
  end
  return found
end

--- Soft and hard limit as the kernel prints them, by the name it uses ("Max open files").
function proc.limit(pid, name)
  local text = slurp(("/proc/%d/limits"):format(pid)) or ""
  return text:match("\n" .. name .. " +(%S+) +(%S+)")
end

function proc.executable(pid)
  return uv.fs_readlink(("/proc/%d/exe"):format(pid))
end

--- Pids for which predicate(pid) is true, zombies left out.
function proc.find(predicate)
  local found = {}
  for _, name in ipairs(proc.names "/proc") do
    local pid = math.tointeger(tonumber(name))
    if pid and proc.alive(pid) and predicate(pid) then found[#found + 1] = pid end
  end
  return found
end

--- Resident memory in KiB.
function proc.resident(pid)
  return math.tointeger(tonumber(proc.status(pid).VmRSS[1]))
end

--- The most that was ever resident, in KiB.
function proc.resident_peak(pid)
  return math.tointeger(tonumber(proc.status(pid).VmHWM[1]))
end

--- Processor time that it has used so far, in milliseconds; the kernel counts in steps of 10.
function proc.cpu_time(pid)
  local words = {}
  -- What follows the name, which may have spaces in it: fields 3 and on of proc_pid_stat(5).
  for word in slurp(("/proc/%d/stat"):format(pid)):match("^.*%) (.*)$"):gmatch "%S+" do words[#words + 1] = word end
  return 10 * (math.tointeger(tonumber(words[12])) + math.tointeger(tonumber(words[13])))
end

return proc
