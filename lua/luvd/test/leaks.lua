-- What a test has left behind: what the census after it knows and the one before it did not.

local luvd, native = require "luvd", require "luvd.test.native"

local sleep = luvd.sleep -- a test may have put a stub there
local leaks = {}

local TURNS, PAUSE = 40, "5ms" -- what is being closed may take a moment
local told = {} -- ids that a test has been blamed for already
local last, last_mark -- the last census, as id -> entry

-- Taken anew only when something has come or gone; anew: in any case, for what it says of a thing may be old.
local function look(anew)
  local mark = native.census_mark()
  if mark == last_mark and not anew then return last end
  last, last_mark = {}, mark
  for _, entry in ipairs(native.census()) do last[entry.id] = entry end
  return last
end

local function added(before, anew)
  local list, now = {}, look(anew)
  if now == before then return list end
  for id, entry in pairs(now) do
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
    sleep(PAUSE)
    list = added(before, true)
    if #list == 0 then break end
  end
  return list
end

local function line_of(entry)
  return "  " .. entry.text .. (entry.where and ", made at " .. entry.where or "")
end

function leaks.enter() return look() end

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
