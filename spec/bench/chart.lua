-- A sheet as bars (SVG): the medians, with a line from the least to the greatest figure. Its colours can be read on
-- light and on dark pages.

local series = require "bench.series"
local verdict = require "bench.verdict"

local chart = {}

local WIDTH, NAME, BAR, STEP, TOP = 760, 190, 400, 30, 56
local OURS, THEIRS, LINE, TEXT, FAINT = "#2f8f6b", "#8a94a6", "#c0562f", "#6b7280", "#9aa3af"

local function escape(text)
  return (text:gsub("[&<>]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;" }))
end

local function text(x, y, words, attributes)
  return ('<text x="%.1f" y="%.1f" %s>%s</text>'):format(x, y, attributes or "", escape(words))
end

local function bar(row, y, scale)
  local value = series.summary(row.values)
  local colour = row.name:match "^luvd" and OURS or THEIRS
  local middle = y + STEP / 2
  return table.concat({
    text(NAME - 10, middle + 5, row.name, 'text-anchor="end"'),
    ('<rect x="%d" y="%.1f" width="%.1f" height="%d" rx="2" fill="%s"/>'):format(
      NAME, y + 6, math.max(value.median * scale, 1), STEP - 12, colour),
    ('<path d="M%.1f %.1fH%.1f" stroke="%s" stroke-width="2"/>'):format(
      NAME + value.low * scale, middle, NAME + value.high * scale, LINE),
    text(NAME + value.high * scale + 8, middle + 5, series.text(value.median)),
  }, "\n")
end

local function footer(one)
  if not one.value then return one.text .. ": not measured" end
  local words = ("%s: %s"):format(one.text, series.text(one.value.median))
  if not one.at_most then return words end
  return ("%s, at most %s: %s"):format(words, series.text(one.at_most), one.reached and "OK" or "missed")
end

---@param sheet bench.Sheet
---@return string
function chart.svg(sheet)
  local greatest, parts = 0, {}
  for _, row in ipairs(sheet.rows) do greatest = math.max(greatest, series.summary(row.values).high) end
  for i, row in ipairs(sheet.rows) do parts[i] = bar(row, TOP + (i - 1) * STEP, BAR / greatest) end
  local y = TOP + #sheet.rows * STEP + 20
  for _, one in ipairs(verdict.of(sheet)) do
    parts[#parts + 1] = text(NAME, y, footer(one), ('font-size="12" fill="%s"'):format(FAINT))
    y = y + 18
  end
  return table.concat({
    ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"'):format(WIDTH, y, WIDTH, y),
    ('  font-family="system-ui, sans-serif" font-size="14" fill="%s">'):format(TEXT),
    text(12, 22, sheet.title, 'font-size="16" font-weight="600"'),
    text(12, 42, sheet.unit .. ", less is better", ('font-size="12" fill="%s"'):format(FAINT)),
    table.concat(parts, "\n"), "</svg>", "",
  }, "\n")
end

return chart
