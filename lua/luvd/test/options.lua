-- The options of `luvd test`: ours are taken out, wherever they stand, all others are busted's.

local luvd = require "luvd"

local options = {}

local function take_time_limit(found, text)
  local right, seconds = pcall(luvd.duration, tonumber(text) or text)
  if not right or seconds <= 0 then return ("--time-limit: expected a duration such as 30s, got '%s'"):format(text) end
  found.time_limit = seconds
end

local function take_coverage(found, text)
  if text == "" then return "--coverage: which file? an empty name was given" end
  found.coverage = text
end

-- default: the value of an option that may stand alone; nil: it needs one.
local rows = {
  ["--watch"] = { take = function(found) found.watch = true end },
  ["--no-leaks"] = { take = function(found) found.leaks = false end },
  ["--coverage"] = { take = take_coverage, default = "lcov.info" },
  ["--time-limit"] = { take = take_time_limit, needs = true },
}

-- The word's row and what stands behind its "=".
local function row_of(word)
  local name, value = word:match "^(%-%-[^=]*)=(.*)$"
  local row = rows[name or word]
  if row and value and not (row.default or row.needs) then return nil end
  return row, value
end

---What luvd itself is to do, and the words that are left for busted.
---@param words string[]
---@return { watch: boolean?, leaks: boolean?, coverage: string?, time_limit: number? }? found
---@return string[]|string rest or what is wrong
function options.read(words)
  local found, rest, at = {}, {}, 1
  while at <= #words do
    local word = words[at]
    if word == "--" then break end
    local row, value = row_of(word)
    if not row then
      rest[#rest + 1] = word
    else
      if row.needs and not value then
        at = at + 1
        value = words[at]
        if not value then return nil, "a value is missing after '" .. word .. "'" end
      end
      local wrong = row.take(found, value or row.default)
      if wrong then return nil, wrong end
    end
    at = at + 1
  end
  table.move(words, at, #words, #rest + 1, rest)
  return found, rest
end

return options
