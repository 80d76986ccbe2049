-- Which lines of a file of Lua have code, functions that never ran among them: read from what string.dump gives, for
-- debug.getinfo knows only functions that exist.

local lines = {}

local HEADER = 4 + 1 + 1 + 6 + 3 + 8 + 8 -- bytes, of Lua 5.4
local ABSOLUTE = -128 -- the line of this instruction is in a table of its own

-- Seven bits a byte, the highest first; the last byte is marked.
local function number(text, at)
  local value = 0
  repeat
    local byte = text:byte(at)
    value = value << 7 | byte & 0x7f
    at = at + 1
  until byte >= 0x80
  return value, at
end

local function skip_string(text, at)
  local size
  size, at = number(text, at)
  return at + math.max(size - 1, 0)
end

local FLOAT, INTEGER, SHORT, LONG = 0x13, 0x03, 0x04, 0x14 -- kinds of constants

local function skip_constants(text, at)
  local count
  count, at = number(text, at)
  for _ = 1, count do
    local kind = text:byte(at)
    at = at + 1
    if kind == FLOAT or kind == INTEGER then
      at = at + 8
    elseif kind == SHORT or kind == LONG then
      at = skip_string(text, at)
    end
  end
  return at
end

-- Adds the lines of one function's instructions. The first of a function with "..." and the return that ends every
-- function are not the writer's.
local function add_lines(text, at, first, variable, found)
  local count, steps = number(text, at)
  local absolutes, past = number(text, steps + count)
  local exact = {}
  for _ = 1, absolutes do
    local instruction, after = number(text, past)
    exact[instruction], past = number(text, after)
  end
  local line = first
  for i = 0, count - 2 do
    local step = string.unpack("b", text, steps + i)
    line = step == ABSOLUTE and exact[i] or line + step
    if i > 0 or not variable then found[line] = true end
  end
  return past
end

local function skip_names(text, at)
  local count
  count, at = number(text, at)
  for _ = 1, count do
    at = skip_string(text, at)
    _, at = number(text, at)
    _, at = number(text, at)
  end
  count, at = number(text, at)
  for _ = 1, count do at = skip_string(text, at) end
  return at
end

local function add_function(text, at, found)
  local first, past_first = number(text, skip_string(text, at))
  local _, past_last = number(text, past_first)
  local count
  at = past_last
  local variable = text:byte(at + 1) ~= 0
  count, at = number(text, at + 3)
  at = skip_constants(text, at + 4 * count)
  count, at = number(text, at)
  at = at + 3 * count
  count, at = number(text, at)
  for _ = 1, count do at = add_function(text, at, found) end
  at = add_lines(text, at, first, variable, found)
  return skip_names(text, at)
end

--- The set of lines of a file that have code; nil when it cannot be read or is no Lua.
function lines.of(path)
  local chunk = loadfile(path, "t")
  if not chunk then return nil end
  local found = {}
  add_function(string.dump(chunk), HEADER + 2, found)
  return found
end

return lines
