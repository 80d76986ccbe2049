-- Signals by their names: "HUP", "SIGHUP".

local uv = require "uv"

local signals = {}

--- For a method of a daemon, whose caller is blamed for what is none.
---@param name any
---@return integer
function signals.number(name)
  local number = type(name) == "string" and uv.constants["SIG" .. name:upper():gsub("^SIG", "")]
  if number then return number end
  error(("signal: expected a name such as \"HUP\", got %s"):format(name), 3)
end

--- "SIGTERM"; nil when there is none of this number.
---@param number integer
---@return string?
function signals.name(number)
  local list = {}
  for name, value in pairs(uv.constants) do
    if value == number and name:find "^SIG" then list[#list + 1] = name end
  end
  table.sort(list) -- some have two names
  return list[1]
end

return signals
