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
---@field value { median: number, low: number, high: number }
---@field at_most? number
---@field reached? boolean

--- One for each goal whose rows were measured.
---@param sheet bench.Sheet
---@return bench.Verdict[]
function verdict.of(sheet)
  local list = {}
  for _, goal in ipairs(sheet.goals or {}) do
    local row, other = row_of(sheet, goal.row), goal.peer and row_of(sheet, goal.peer)
    if row and (other or not goal.peer) then
      local value = other and series.ratios(row.values, other.values) or series.summary(row.values)
      list[#list + 1] = {
        text = other and goal.row .. " / " .. goal.peer or ("%s, %s"):format(goal.row, sheet.unit),
        value = value, at_most = goal.at_most,
        reached = goal.at_most and value.median <= goal.at_most,
      }
    end
  end
  return list
end

return verdict
