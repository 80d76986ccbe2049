-- How a call is written in the manual.

local signature = {}

--- "conn:read", "net.serve": as the calls are written.
function signature.called(class, func)
  return (func.method and class.variable:lower() or class.variable) .. (func.method and ":" or ".") .. func.name
end

local function arguments(params)
  local text = ""
  for i, param in ipairs(params) do
    local comma = i > 1 and ", " or ""
    if param.optional then
      text = text .. (i > 1 and " [" or "[") .. comma .. param.name .. "]"
    else
      text = text .. comma .. param.name
    end
  end
  return text
end

local function results(returns)
  if #returns == 0 then return "" end
  local list = {}
  for i, result in ipairs(returns) do
    list[i] = result.type.bare == "true" and "true" or result.name or result.type.bare
    local fails = returns[2] and returns[2].name == "message"
    if i == 1 and (result.type.optional or fails) then list[i] = list[i] .. " | nil" end
  end
  return " -> " .. table.concat(list, ", ")
end

--- The call with its parameters and results, then its overloads: "conn:read([options]) -> bytes | nil, message, code".
function signature.lines(class, func)
  local name = signature.called(class, func)
  local lines = { ("%s(%s)%s"):format(name, arguments(func.params), results(func.returns)) }
  for _, overload in ipairs(func.overloads) do
    lines[#lines + 1] = name .. overload.text:gsub("^fun", ""):gsub("^%(self: [%w_%.]+,? ?", "(")
  end
  return lines
end

return signature
