-- Prometheus' text format, version 0.0.4, read strictly: what an exporter must not do is an error.

local metrics = {}

---@class support.family
---@field type string
---@field help string
---@field samples { labels: table<string, string>, value: number }[]

local types = { counter = true, gauge = true, histogram = true, summary = true, untyped = true }

local function fail(number, line, problem)
  error(("line %d: %s: %q"):format(number, problem, line), 0)
end

-- The value of a label from its opening quote on; returns it and where the text goes on.
local function label_value(text, at)
  local parts, escapes = {}, { ["\\"] = "\\", ['"'] = '"', n = "\n" }
  while true do
    local plain, stop, rest = text:match('^([^\\"\n]*)([\\"])()', at)
    if not plain then return nil end
    parts[#parts + 1] = plain
    if stop == '"' then return table.concat(parts), rest end
    local escaped = escapes[text:sub(rest, rest)]
    if not escaped then return nil end
    parts[#parts + 1] = escaped
    at = rest + 1
  end
end

local function labels_of(text)
  local labels, at = {}, 1
  while at <= #text do
    local name, after = text:match('^([%a_][%w_]*)="()', at)
    if not name or name:match "^__" or labels[name] then return nil end
    labels[name], at = label_value(text, after)
    if not labels[name] then return nil end
    if at <= #text then
      if text:sub(at, at) ~= "," or at == #text then return nil end
      at = at + 1
    end
  end
  return labels
end

local function identity(labels)
  local parts = {}
  for name, value in pairs(labels) do parts[#parts + 1] = ("%s=%q"):format(name, value) end
  table.sort(parts)
  return table.concat(parts, ",")
end

local function take_comment(state, number, line)
  local word, name, rest = line:match "^# (%u+) ([%a_:][%w_:]*) (.+)$"
  if word == "HELP" then
    if state.families[name] then fail(number, line, "a family comes twice") end
    state.name, state.seen = name, {}
    state.families[name] = { help = rest, samples = {} }
  elseif word == "TYPE" then
    local family = state.families[name]
    if name ~= state.name or family.type or #family.samples > 0 then fail(number, line, "TYPE is not after HELP") end
    if not types[rest] then fail(number, line, "no such type") end
    family.type = rest
  else
    fail(number, line, "neither HELP nor TYPE")
  end
end

local function take_sample(state, number, line)
  local name, text, value = line:match "^([%a_:][%w_:]*){(.*)} (%S+)$"
  if not name then fail(number, line, "no sample") end
  local labels, family = labels_of(text), state.families[name]
  if not labels then fail(number, line, "wrong labels") end
  if name ~= state.name or not family.type then fail(number, line, "a sample outside of its family") end
  if not value:match "^%-?%d+%.?%d*$" then fail(number, line, "no number") end
  if state.seen[identity(labels)] then fail(number, line, "a series comes twice") end
  state.seen[identity(labels)] = true
  if family.type == "counter" and (not name:match "_total$" or tonumber(value) < 0) then
    fail(number, line, "no counter")
  end
  table.insert(family.samples, { labels = labels, value = tonumber(value) })
end

--- The families of a page by their names; raises what is wrong with it.
---@return table<string, support.family>
function metrics.parse(text)
  local state = { families = {} }
  local number = 0
  if text:sub(-1) ~= "\n" then error("the last line has no end", 0) end
  if not utf8.len(text) then error("this is not UTF-8", 0) end
  for line in text:gmatch "(.-)\n" do
    number = number + 1
    if line:sub(1, 1) == "#" then take_comment(state, number, line) else take_sample(state, number, line) end
  end
  for name, family in pairs(state.families) do
    if not family.type then error(name .. " has no TYPE", 0) end
  end
  return state.families
end

--- The sum of a family's samples that have these labels.
function metrics.sum(families, name, labels)
  local sum = 0
  for _, sample in ipairs(families[name].samples) do
    local fits = true
    for key, value in pairs(labels or {}) do fits = fits and sample.labels[key] == value end
    if fits then sum = sum + sample.value end
  end
  return sum
end

return metrics
