-- What processes use, as the kernel counts it.

local proc = require "support.proc"

local usage = {}

--- The process and all below it: nginx and redis-server work in more than one.
---@param pid integer
---@return integer[]
function usage.processes(pid)
  local all = { pid }
  for _, thread in ipairs(proc.names(("/proc/%d/task"):format(pid))) do
    for child in (proc.slurp(("/proc/%d/task/%s/children"):format(pid, thread)) or ""):gmatch "%d+" do
      table.move(usage.processes(math.tointeger(tonumber(child))), 1, 64, #all + 1, all)
    end
  end
  return all
end

--- CPU time of all threads, user and system, nanoseconds. schedstat counts them exactly; the ticks of /proc/PID/stat
--- are a hundredth of a second.
---@param pids integer[]
function usage.cpu(pids)
  local sum = 0
  for _, pid in ipairs(pids) do
    local folder = ("/proc/%d/task/"):format(pid)
    for _, thread in ipairs(proc.names(folder)) do
      sum = sum + math.tointeger(tonumber(proc.slurp(folder .. thread .. "/schedstat"):match "^%d+"))
    end
  end
  return sum
end

local function field(pid, name)
  local text = assert(proc.slurp(("/proc/%d/smaps_rollup"):format(pid)))
  return math.tointeger(tonumber(text:match("\n" .. name .. ": +(%d+)")))
end

--- Resident memory of one process, and how much of it is its own alone; KiB.
---@param pid integer
---@return { resident: integer, private: integer }
function usage.pages(pid)
  return { resident = field(pid, "Rss"), private = field(pid, "Private_Clean") + field(pid, "Private_Dirty") }
end

--- Resident memory, KiB. Of several processes: what each has alone, and once what they share, as much as the one has
--- that shares most. Proportional shares would be smaller for who runs beside others of its kind.
---@param pids integer[]
function usage.memory(pids)
  local alone, shared = 0, 0
  for _, pid in ipairs(pids) do
    local pages = usage.pages(pid)
    alone, shared = alone + pages.private, math.max(shared, pages.resident - pages.private)
  end
  return alone + shared
end

return usage
