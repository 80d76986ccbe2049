-- What a sheet's figures say about its goals.

local series = require "bench.series"

local verdict = {}

local function row_of(sheet, name)
  for _, row in ipairs(sheet.rows) do
    if row.name == name then return row end
  end
end

---@class bench.Verdict
---@field text string "luvd / plain C"
---@field value? { median: number, low: number, high: number } nil: not measured
---@field at_most? number
---@field reached? boolean

local function text_of(goal, unit)
  if not goal.peer then return ("%s, %s"):format(goal.row, unit) end
  return goal.above and ("%s above %s, %s"):format(goal.row, goal.peer, unit) or goal.row .. " / " .. goal.peer
end

local function value_of(goal, row, other)
  if not other then return series.summary(row.values) end
  return (goal.above and series.differences or series.ratios)(row.values, other.values)
end

--- One for each goal.
---@param sheet bench.Sheet
---@return bench.Verdict[]
function verdict.of(sheet)
  local list = {}
  for _, goal in ipairs(sheet.goals or {}) do
    local row, other = row_of(sheet, goal.row), goal.peer and row_of(sheet, goal.peer)
    local one = { text = text_of(goal, sheet.unit), at_most = goal.at_most, reached = false }
    if row and (other or not goal.peer) then
      one.value = value_of(goal, row, other)
      one.reached = goal.at_most and one.value.median <= goal.at_most
    end
    list[#list + 1] = one
  end
  return list
end

return verdict
