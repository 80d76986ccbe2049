-- What a daemon under test holds, by its own status and the kernel's word.

local control = require "luvd.testing.control"
local luvd = require "luvd"
local uv = require "uv"

local WITHIN, LOOK_EVERY = 1, 0.01 -- seconds: what is on its way out is no leak

local leaks = {}

-- Adds the descriptors of a process, when we may look at them: by the file, or "socket", "pipe". The one of /dev/null
-- is a reserve of the acceptor.
local function count_descriptors(counts, pid)
  local path = ("/proc/%d/fd"):format(pid)
  local request = uv.fs_scandir(path)
  local name = request and uv.fs_scandir_next(request)
  while name do
    local target = uv.fs_readlink(path .. "/" .. name)
    if target and target ~= "/dev/null" then
      local key = "descriptor of " .. (target:match "^(%a+):%[" or target)
      counts[key] = (counts[key] or 0) + 1
    end
    name = uv.fs_scandir_next(request)
  end
end

-- Children of a process, when the kernel tells them.
local function children(pid)
  local fd = uv.fs_open(("/proc/%d/task/%d/children"):format(pid, pid), "r", 0)
  local text = fd and uv.fs_read(fd, 65536, 0) or ""
  if fd then uv.fs_close(fd) end
  return select(2, text:gsub("%d+", ""))
end

--- What there is, by name. status: of the daemon, as it is now.
---@param status table
---@return table<string, integer>
function leaks.count(status)
  local counts = { task = status.lua.tasks, process = 0 }
  for _, worker in ipairs(status.workers) do
    if worker.pid then
      count_descriptors(counts, worker.pid)
      counts.process = counts.process + children(worker.pid)
    end
  end
  local sockets = counts["descriptor of socket"]
  for _, listener in ipairs(status.listeners) do
    local key, open = "connection of " .. listener.name, listener.connections or 0
    counts[key] = (counts[key] or 0) + open
    -- Told once.
    if sockets then counts["descriptor of socket"] = counts["descriptor of socket"] - open end
  end
  return counts
end

--- What there is more now, in words, sorted.
---@param before table<string, integer>
---@param now table<string, integer>
---@return string[]
function leaks.difference(before, now)
  local list = {}
  for key, count in pairs(now) do
    local more = count - (before[key] or 0)
    if more > 0 then
      local word, rest = key:match "^(%a+)(.*)$"
      local plural = more == 1 and "" or word:find "s$" and "es" or "s"
      list[#list + 1] = ("%d %s%s%s"):format(more, word, plural, rest)
    end
  end
  table.sort(list)
  return list
end

--- What there is more than at the start.
---@param running luvd.testing.Running
---@return string[]
function leaks.find(running)
  if running.child.code then return {} end
  local deadline = luvd.now() + WITHIN
  while true do
    control.evaluate(running.control, "collectgarbage() collectgarbage()")
    local list = leaks.difference(running.before, leaks.count(control.status(running.control)))
    if #list == 0 or luvd.now() >= deadline then return list end
    luvd.sleep(LOOK_EVERY)
  end
end

return leaks
