-- A list of figures of the same thing.

local series = {}

--- The figure in the middle, the least and the greatest.
---@param values number[]
---@return { median: number, low: number, high: number }
function series.summary(values)
  local sorted = table.move(values, 1, #values, 1, {})
  table.sort(sorted)
  local middle = #sorted // 2
  local median = #sorted % 2 == 1 and sorted[middle + 1] or (sorted[middle] + sorted[middle + 1]) / 2
  return { median = median, low = sorted[1], high = sorted[#sorted] }
end

function series.median(values)
  return series.summary(values).median
end

--- The ratios of figures that were taken in the same rounds: what disturbs a round disturbs both.
function series.ratios(values, others)
  local ratios = {}
  for i, value in ipairs(values) do ratios[i] = value / others[i] end
  return series.summary(ratios)
end

--- How much more they are than others that were taken in the same rounds.
function series.differences(values, others)
  local differences = {}
  for i, value in ipairs(values) do differences[i] = value - others[i] end
  return series.summary(differences)
end

--- Three digits or all before the point; more where a goal of two decimals is decided.
function series.text(value)
  return (value < 2 and "%.3f" or value < 10 and "%.2f" or value < 100 and "%.1f" or "%.0f"):format(value)
end

return series
