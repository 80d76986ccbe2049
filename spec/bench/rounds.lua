-- Alternating rounds: every contestant once, then every contestant again. All run from the first round to the last; who
-- is not asked only waits.

local load = require "bench.load"
local peer = require "bench.peer"
local series = require "bench.series"

local rounds = {}

---@class bench.Row
---@field name string
---@field values number[] one a round
---@field cells? string[] for the table's further columns

---@class bench.Sheet
---@field name string the files' name
---@field title string
---@field unit string of the values
---@field rows bench.Row[]
---@field columns? string[] titles of the further columns
---@field goals? bench.Goal[]
---@field notes? string[]

---@class bench.Goal
---@field row string
---@field peer? string the value is a multiple of this row's; else it is the value itself
---@field above? boolean how much more than the peer's, not how many times
---@field at_most? number nothing is demanded without it

--- Starts all, runs work(running), stops all, however it ends. Who cannot start is left out: its goals then are not
--- reached.
---@generic T
---@param definitions bench.Definition[]
---@param work fun(running: bench.Peer[]): T
---@return T
function rounds.with_all(definitions, work)
  local running <close> = setmetatable({}, { __close = function(list)
    for _, one in ipairs(list) do one:stop() end
  end })
  for _, definition in ipairs(definitions) do running[#running + 1] = peer.try(definition) end
  return work(running)
end

--- sample(peer) -> value and whatever else; gives for each contestant { name, values, samples }.
---@param running bench.Peer[]
---@param count integer
function rounds.take(running, count, sample)
  local rows = {}
  for i, one in ipairs(running) do rows[i] = { name = one.name, values = {}, samples = {}, peer = one } end
  for round = 1, count do
    for _, row in ipairs(rows) do
      local value, more = sample(row.peer)
      row.values[round], row.samples[round] = value, more
    end
    io.stderr:write(".")
  end
  io.stderr:write("\n")
  return rows
end

local function column(row, name)
  local values = {}
  for i, answers in ipairs(row.samples) do values[i] = answers[name] end
  return series.median(values)
end

-- Server CPU in microseconds for each request; and what the load saw.
local function under_load(one, options)
  local before = one:cpu()
  local answers = load.run(one, options)
  local cpu = one:cpu() - before
  answers.rate = answers.requests / answers.seconds
  answers.core = cpu / 1e9 / answers.seconds
  return cpu / 1e3 / answers.requests, answers
end

local function cells(row)
  return {
    ("%.0f"):format(column(row, "rate")), ("%.0f"):format(column(row, "p50")), ("%.0f"):format(column(row, "p99")),
    ("%.0f %%"):format(column(row, "core") * 100), ("%.1f"):format(row.peer:memory() / 1024),
  }
end

--- The usual benchmark: CPU of each contestant under the same load.
---@param sheet bench.Sheet without rows
---@param contestants bench.Definition[]
---@param settings { rounds: integer, seconds: number }
---@param options table of the load
---@return bench.Sheet
function rounds.load(sheet, contestants, settings, options)
  options.seconds = 1 -- to warm up
  sheet.unit = "µs CPU/request"
  sheet.columns = { "requests/s", "p50 µs", "p99 µs", "core", "MiB" }
  sheet.rows = rounds.with_all(contestants, function(running)
    for _, one in ipairs(running) do load.run(one, options) end
    options.seconds = settings.seconds
    local rows = rounds.take(running, settings.rounds, function(one) return under_load(one, options) end)
    for _, row in ipairs(rows) do row.cells, row.peer = cells(row), nil end
    return rows
  end)
  return sheet
end

return rounds
