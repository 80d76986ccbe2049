-- The addresses of a daemon under test, by the names of its listeners.

local listeners = {}

local function names_of(address)
  local names = {}
  for name in pairs(address) do names[#names + 1] = name end
  table.sort(names)
  return names
end

local function unknown(address, name)
  error(("no listener '%s'; there are: %s"):format(name, table.concat(names_of(address), ", ")), 2)
end

--- An empty table that raises for a name it has not.
---@return table<string, string>
function listeners.new()
  return setmetatable({}, { __index = unknown })
end

--- The name of the listener that is meant by `connect(name)`.
---@param address table<string, string>
---@param name? string
---@return string
function listeners.choose(address, name)
  if name then return address[name] and name end
  local names = names_of(address)
  if #names == 1 then return names[1] end
  error(#names == 0 and "connect: the daemon has no listeners"
    or "connect: which listener? there are: " .. table.concat(names, ", "), 3)
end

return listeners
