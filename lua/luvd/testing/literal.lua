-- Data as the text of a Lua literal in one line of ASCII, and back: what crosses from a test to a daemon and from a
-- daemon to a test.

local literal = {}

local DEPTH_MAX = 100

local function string_of(text)
  return '"' .. text:gsub('[%c"\\\x7f-\xff]', function(byte) return ("\\%03d"):format(byte:byte()) end) .. '"'
end

local function number_of(number)
  if math.type(number) == "integer" then
    -- The least integer has no decimal literal.
    return number == math.mininteger and "0x8000000000000000" or ("%d"):format(number)
  end
  if number ~= number then error("not a number (nan) is no data", 0) end
  if number == math.huge then return "1e999" end
  if number == -math.huge then return "-1e999" end
  local text = ("%.17g"):format(number)
  return text:find "[%.e]" and text or text .. ".0"
end

local encode

-- around: the tables that this one is in.
local function table_of(value, around, depth)
  if around[value] then error("a table that contains itself is no data", 0) end
  if depth > DEPTH_MAX then error(("more than %d tables inside each other"):format(DEPTH_MAX), 0) end
  around[value] = true
  local parts, last = {}, 0
  for index = 1, math.huge do
    local element = rawget(value, index)
    if element == nil then break end
    parts[index], last = encode(element, around, depth + 1), index
  end
  for key, element in next, value do
    if math.type(key) ~= "integer" or key < 1 or key > last then
      if type(key) == "table" then error("a table is no key", 0) end
      parts[#parts + 1] = ("[%s]=%s"):format(encode(key, around, depth + 1), encode(element, around, depth + 1))
    end
  end
  around[value] = nil
  return "{" .. table.concat(parts, ",") .. "}"
end

function encode(value, around, depth)
  local kind = type(value)
  if kind == "nil" or kind == "boolean" then return tostring(value) end
  if kind == "number" then return number_of(value) end
  if kind == "string" then return string_of(value) end
  if kind == "table" then return table_of(value, around, depth) end
  error(("a %s is no data"):format(kind), 0)
end

--- The literal of one value. Raises what is no data.
---@param value nil|boolean|number|string|table
---@return string
function literal.encode(value)
  return encode(value, {}, 0)
end

--- The values of literals with commas between them; nil and a message when the text is none.
---@param text string
---@return any[]? values with their number in n
---@return string? message
function literal.decode(text)
  local chunk, message = load("return " .. text, "=literal", "t", {})
  if not chunk then return nil, message end
  return table.pack(chunk())
end

return literal
