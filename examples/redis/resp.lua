-- RESP, the protocol of Redis (version 2): requests out of bytes, replies into bytes.

local resp = {}

local find, sub, byte = string.find, string.sub, string.byte

resp.OK, resp.NIL, resp.NO_LIST = "+OK\r\n", "$-1\r\n", "*-1\r\n"

---A protocol error ends the connection: what follows cannot be told apart any more.
---@param what string
local function broken(what)
  return nil, "Protocol error: " .. what
end

-- A length after "*" or "$". nil: its line is not whole yet.
local function length_at(bytes, from)
  local stop = find(bytes, "\r\n", from, true)
  if not stop then return #bytes - from < 32, "invalid length" end
  return math.tointeger(tonumber(sub(bytes, from, stop - 1))) or false, stop + 2
end

local function inline(bytes, from, limits, arguments)
  local stop = find(bytes, "\n", from, true)
  if not stop then
    if #bytes - from > limits.max_value then return broken "too big inline request" end
    return 0, from
  end
  local count = 0
  for word in sub(bytes, from, stop - 1):gmatch "[^%s]+" do
    count = count + 1
    arguments[count] = word
  end
  return count, stop + 1
end

---The next request in bytes, from position from on. Fills arguments and returns their number and the position behind
---it; 0 and the same position when it is not whole yet, 0 and a later one for an empty request; nil and a message when
---this is no request.
---@param bytes string
---@param from integer
---@param limits { max_value: integer, max_arguments: integer }
---@param arguments string[]
---@return integer? count
---@return integer|string position
function resp.request(bytes, from, limits, arguments)
  local star, digit, stop = byte(bytes, from, from + 2)
  if star ~= 42 then return inline(bytes, from, limits, arguments) end -- "*"
  local count, at
  if stop == 13 and digit >= 48 and digit <= 57 then -- most lengths are short: one digit, or two
    count, at = digit - 48, from + 4
  else
    count, at = length_at(bytes, from + 1)
    if count == true then return 0, from end
  end
  if not count or count > limits.max_arguments then return broken "invalid multibulk length" end
  for i = 1, count do
    local mark, tens, ones, after = byte(bytes, at, at + 3)
    local length
    if mark ~= 36 then -- "$"
      if not mark then return 0, from end
      return broken(("expected '$', got '%s'"):format(sub(bytes, at, at)))
    end
    if ones == 13 and tens >= 48 and tens <= 57 then
      length, at = tens - 48, at + 4
    elseif after == 13 and tens >= 48 and tens <= 57 and ones >= 48 and ones <= 57 then
      length, at = tens * 10 + ones - 528, at + 5
    else
      length, at = length_at(bytes, at + 1)
      if length == true then return 0, from end
    end
    if not length or length < 0 or length > limits.max_value then return broken "invalid bulk length" end
    if at + length + 1 > #bytes then return 0, from end
    arguments[i] = sub(bytes, at, at + length - 1)
    at = at + length + 2
  end
  return count > 0 and count or 0, at
end

---@param text string
function resp.bulk(text)
  return "$" .. #text .. "\r\n" .. text .. "\r\n"
end

---@param number integer
function resp.integer(number)
  return ":" .. number .. "\r\n"
end

---@param message string "ERR no such key": the first word is the kind
function resp.error(message)
  return "-" .. message:gsub("[\r\n]", " ") .. "\r\n"
end

---@param replies string[] each a whole reply
function resp.list(replies)
  return "*" .. #replies .. "\r\n" .. table.concat(replies)
end

return resp
