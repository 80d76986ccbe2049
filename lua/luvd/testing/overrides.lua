-- What a test changes in a daemon file, as arguments of --set.

local literal = require "luvd.testing.literal"

local overrides = {}

-- A list and {} replace what is there; other tables are merged into it.
local function is_whole(value)
  return type(value) ~= "table" or next(value) == nil or value[1] ~= nil
end

local function fail(path, message)
  error(("overrides: %s: %s"):format(path, message), 0)
end

local function key_of(path, key)
  if math.type(key) == "integer" then return tostring(key) end
  if type(key) ~= "string" then fail(path, ("a key is a string or a number, got a %s"):format(type(key))) end
  if key == "" or key:find "[.=%c]" then
    fail(path, ("the key %q cannot be changed by itself: --set has no name for it"):format(key))
  end
  return key
end

local function add(sets, path, value)
  if value == false then
    sets[#sets + 1] = path .. "="
  elseif is_whole(value) then
    local ok, text = pcall(literal.encode, value)
    if not ok then fail(path, text) end
    sets[#sets + 1] = path .. "=" .. text
  else
    local keys = {}
    for key in pairs(value) do keys[#keys + 1] = key end
    table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
    for _, key in ipairs(keys) do
      local name = key_of(path, key)
      add(sets, path == "" and name or path .. "." .. name, value[key])
    end
  end
end

--- "config.every=\"1s\"", "user=": sorted, so that the same changes are the same arguments. Raises what cannot be said.
---@param changes? table
---@return string[]
function overrides.sets(changes)
  if changes ~= nil and type(changes) ~= "table" then
    error(("overrides: expected a table, got a %s"):format(type(changes)), 0)
  end
  if changes and changes[1] ~= nil then error("overrides: expected keys of the daemon file, got a list", 0) end
  local sets = {}
  if changes and next(changes) ~= nil then add(sets, "", changes) end
  return sets
end

--- The same behind those that are there already; these stay as they are.
---@param sets string[]
---@param changes? table
---@return string[]
function overrides.add(sets, changes)
  local more = overrides.sets(changes)
  return table.move(more, 1, #more, #sets + 1, table.move(sets, 1, #sets, 1, {}))
end

--- The end of a command line: the sets, and the daemon file.
---@param arguments string[] the beginning, which is changed
---@param sets string[]
---@param file string
---@return string[] arguments
function overrides.finish(arguments, sets, file)
  for _, set in ipairs(sets) do table.move({ "--set", set }, 1, 2, #arguments + 1, arguments) end
  return table.move({ "--", file }, 1, 2, #arguments + 1, arguments)
end

return overrides
