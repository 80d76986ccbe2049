-- A sheet as text.

local series = require "bench.series"
local verdict = require "bench.verdict"

local sheets = {}

local number = series.text

local function rows_of(sheet)
  local rows = { { "", sheet.unit, "min..max", table.unpack(sheet.columns or {}) } }
  for _, row in ipairs(sheet.rows) do
    local value = series.summary(row.values)
    rows[#rows + 1] = {
      row.name, number(value.median), number(value.low) .. ".." .. number(value.high), table.unpack(row.cells or {}),
    }
  end
  return rows
end

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(cell)) end
  end
  return widths
end

local function pad(text, width, left)
  local blanks = (" "):rep(width - utf8.len(text))
  return left and text .. blanks or blanks .. text
end

local function verdict_line(one)
  if not one.value then return ("%-42s not measured"):format(one.text) end
  local line = ("%-42s %s  (%s..%s)"):format(one.text, number(one.value.median), number(one.value.low),
    number(one.value.high))
  if not one.at_most then return line end
  return ("%s  at most %s: %s"):format(line, number(one.at_most), one.reached and "OK" or "MISSED")
end

---@param sheet bench.Sheet
---@return string
function sheets.text(sheet)
  local lines, rows = { sheet.title, "" }, rows_of(sheet)
  local widths = widths_of(rows)
  for _, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do cells[i] = pad(cell, widths[i], i == 1) end
    lines[#lines + 1] = table.concat(cells, "  ")
  end
  lines[#lines + 1] = ""
  for _, one in ipairs(verdict.of(sheet)) do lines[#lines + 1] = verdict_line(one) end
  for _, note in ipairs(sheet.notes or {}) do lines[#lines + 1] = "- " .. note end
  return table.concat(lines, "\n") .. "\n"
end

return sheets
