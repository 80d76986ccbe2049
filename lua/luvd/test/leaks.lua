-- What a test has left behind: what the census after it knows and the one before it did not.

local luvd, native = require "luvd", require "luvd.test.native"

local leaks = {}

local TURNS, PAUSE = 40, "5ms" -- what is being closed may take a moment
local told = {} -- ids that a test has been blamed for already
local last -- what was there when nothing of the tests had run since; nil: something has

local function look()
  local found = {}
  for _, entry in ipairs(native.census()) do found[entry.id] = entry end
  return found
end

local function added(before)
  local list = {}
  last = look()
  for id, entry in pairs(last) do
    if not before[id] and not told[id] then list[#list + 1] = entry end
  end
  return list
end

-- Connections that http.request keeps for the next request are luvd's own.
local function drop_idle()
  local pool = package.loaded["luvd.http.pool"]
  if pool then pool.clear() end
end

local function left_after_all(before)
  local list
  drop_idle()
  for _ = 1, TURNS do
    collectgarbage()
    collectgarbage()
    luvd.sleep(PAUSE)
    list = added(before)
    if #list == 0 then break end
  end
  return list
end

local function line_of(entry)
  return "  " .. entry.text .. (entry.where and ", made at " .. entry.where or "")
end

function leaks.enter()
  last = last or look()
  return last
end

function leaks.guard(run)
  last = nil
  return run()
end

--- A test that has failed was cut short and is not blamed, nor is the next one.
function leaks.leave(before, failed)
  local list = added(before)
  if #list > 0 and not failed then list = left_after_all(before) end
  if #list == 0 then return nil end
  local lines = {}
  for i, entry in ipairs(list) do
    told[entry.id] = true
    lines[i] = line_of(entry)
  end
  if failed then return nil end
  table.sort(lines)
  return "left behind:\n" .. table.concat(lines, "\n")
end

return leaks
