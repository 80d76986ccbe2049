-- The measuring part of spec/bench/run.

package.path = "./spec/?.lua;" .. package.path

local chart = require "bench.chart"
local json = require "dkjson"
local loop = require "support.loop"
local place = require "bench.place"
local process = require "support.process"
local sheets = require "bench.table"
local verdict = require "bench.verdict"

local ALL = {
  "echo", "http", "pipeline", "json", "connect", "idle", "timers", "tasks", "memory", "restart", "reload", "redis",
}

local function die(...)
  io.stderr:write("run: ", string.format(...), "\n")
  os.exit(2)
end

local function options(arguments)
  local settings, names, i = { rounds = 5, seconds = 3 }, {}, 1
  while i <= #arguments do
    local key = arguments[i]:match "^%-%-(%w+)$"
    if key then
      local value = tonumber(arguments[i + 1])
      if not settings[key] or not value or value <= 0 then die("%s: not an option with a number", arguments[i]) end
      settings[key], i = value, i + 1
    else
      names[#names + 1] = arguments[i]
    end
    i = i + 1
  end
  settings.rounds = math.tointeger(settings.rounds) or die "--rounds: a whole number"
  return settings, #names > 0 and names or ALL
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local reached = true

local function publish(sheet)
  print(sheets.text(sheet))
  io.stdout:flush()
  sheet.verdicts = verdict.of(sheet)
  for _, one in ipairs(sheet.verdicts) do reached = reached and one.reached ~= false end
  write(place.build .. sheet.name .. ".svg", chart.svg(sheet))
  write(place.build .. sheet.name .. ".json", json.encode(sheet, { indent = true }) .. "\n")
end

local function run(name, settings)
  io.stderr:write(name, " ")
  require("bench.cases." .. name)(settings, publish)
end

local settings, names = options(arg)
local known, failed = {}, false
for _, name in ipairs(ALL) do known[name] = true end
for _, name in ipairs(names) do
  if not known[name] then die("%s: no benchmark; there are %s", name, table.concat(ALL, ", ")) end
end
for _, name in ipairs(names) do
  local ok, message = pcall(run, name, settings)
  if not ok then
    failed = true
    io.stderr:write(("\n%s: %s\n"):format(name, message))
  end
  process.finish()
end
place.clean()
loop.drain()
os.exit(reached and not failed, true)
