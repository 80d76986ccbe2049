-- The place in a test of the call that raises: without it busted names a line of luvd's own.

local place = {}

local OURS = "^luvd%.[%w_.]+:%d+: "

-- The innermost function that is not luvd's: "spec/chat_spec.lua", 7.
local function find()
  local level = 3
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then return nil end
    if info.currentline > 0 and not info.short_src:find "^luvd%." then return info.short_src, info.currentline end
    level = level + 1
  end
end

local function finish(right, ...)
  if right then return ... end
  local message = ...
  local file, line = find()
  if type(message) ~= "string" or not file then error(message, 0) end
  message = message:gsub(OURS, "")
  if message:sub(1, #file + 1) ~= file .. ":" then message = ("%s:%d: %s"):format(file, line, message) end
  error(message, 0)
end

--- Errors of these functions begin with the place of their caller; other values are raised as they are.
---@param functions table<string, function> is changed
---@param names? string[] which of them; default: all
---@return table<string, function> functions
function place.mark(functions, names)
  if not names then
    names = {}
    for name in pairs(functions) do names[#names + 1] = name end
  end
  for _, name in ipairs(names) do
    local fn = functions[name]
    functions[name] = function(...) return finish(pcall(fn, ...)) end
  end
  return functions
end

return place
