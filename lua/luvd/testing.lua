-- luvd.testing: what a test starts, asks and makes. The types are in types/testing.lua.

if not pcall(require, "luvd.script") then
  error("luvd.testing is for tests, under `luvd test`, `luvd lua` or luvd-lua: a service cannot have it", 0)
end

local command = require "luvd.testing.command"
local luvd = require "luvd"
local place = require "luvd.testing.place"
local process = require "luvd.testing.process"
local simulate = require "luvd.testing.simulate"
local tree = require "luvd.testing.tree"

local EVENTUALLY, LOOK_EVERY = 5, 0.005 -- seconds

local testing = { start = process.start, simulate = simulate.simulate, tree = tree.new }

local function need_path(name, file)
  if type(file) ~= "string" then error(("%s: expected a path, got a %s"):format(name, type(file)), 3) end
end

function testing.check(file, overrides)
  need_path("check", file)
  return command.check(file, overrides)
end

local plan_options = { as = true, overrides = true }

function testing.plan(file, options)
  need_path("plan", file)
  if options ~= nil and type(options) ~= "table" then
    error(("plan: expected a table of options, got a %s"):format(type(options)), 2)
  end
  for key in pairs(options or {}) do
    if not plan_options[key] then error(("plan: unknown option '%s'; there are: as, overrides"):format(key), 2) end
  end
  return command.plan(file, options or {})
end

function testing.eventually(fn, within)
  if type(fn) ~= "function" and not (getmetatable(fn) or {}).__call then
    error(("eventually: expected a function, got a %s"):format(type(fn)), 2)
  end
  local deadline = luvd.now() + luvd.duration(within or EVENTUALLY)
  while true do
    local ok, value = pcall(fn)
    if ok and value then return value end
    if luvd.now() >= deadline then
      if not ok then error(value, 0) end
      error(("eventually: it is still %s after %s"):format(tostring(value), within or EVENTUALLY .. "s"), 2)
    end
    luvd.sleep(LOOK_EVERY)
  end
end

return place.mark(testing, { "start", "simulate", "tree", "check", "plan" })
