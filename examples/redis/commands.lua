-- What each command does. function(store, arguments, count) -> its reply, a value that luvd.resp encodes, and true when
-- the connection ends with it; arguments[1] is the command itself.

local resp = require "luvd.resp"

local commands = {}

local OK, NULL = resp.ok, resp.null
local PONG, STRING, NONE = resp.status "PONG", resp.status "string", resp.status "none"
local NOT_INTEGER = resp.error "ERR value is not an integer or out of range"
local SYNTAX = resp.error "ERR syntax error"

local function integer_of(text)
  return text:match "^-?%d+$" and math.tointeger(tonumber(text))
end

-- --- strings ---

function commands.GET(store, arguments)
  local key = arguments[2]
  if store.ends[key] then return store:get(key) end
  return store.values[key]
end

-- The options of SET: what each does to the table of them. EX and PX have an argument.
local set_options = {
  EX = function(options, text)
    options.seconds = integer_of(text or "")
    return 2
  end,
  PX = function(options, text)
    options.seconds = integer_of(text or "")
    if options.seconds then options.seconds = options.seconds / 1000 end
    return 2
  end,
  NX = function(options) options.new = true return 1 end,
  XX = function(options) options.old = true return 1 end,
  GET = function(options) options.get = true return 1 end,
  KEEPTTL = function(options) options.keep = true return 1 end,
}

local function read_options(arguments, count)
  local options, at = {}, 4
  while at <= count do
    local name = arguments[at]:upper()
    if not set_options[name] then return nil, SYNTAX end
    local step = set_options[name](options, at < count and arguments[at + 1] or nil)
    if step == 2 and not options.seconds then return nil, at == count and SYNTAX or NOT_INTEGER end
    if step == 2 and options.seconds <= 0 then return nil, resp.error "ERR invalid expire time in 'set' command" end
    at = at + step
  end
  if options.new and options.old then return nil, SYNTAX end
  return options
end

local function set_with_options(store, arguments, count)
  local options, problem = read_options(arguments, count)
  if not options then return problem end
  local key = arguments[2]
  local before = store:get(key)
  local said = options.get and (before or NULL)
  if options.new and before or options.old and not before then return said or NULL end
  local ok, message = store:set(key, arguments[3])
  if not ok then return resp.error(message) end
  if not options.keep then store:expire(key, options.seconds) end
  return said or OK
end

function commands.SET(store, arguments, count)
  if count > 3 then return set_with_options(store, arguments, count) end
  local key, values = arguments[2], store.values
  if values[key] and not store.ends[key] then -- nothing to count
    values[key] = arguments[3]
    return OK
  end
  if store.ends[key] then store:expire(key, nil) end
  local ok, message = store:set(key, arguments[3])
  return ok and OK or resp.error(message)
end

function commands.MGET(store, arguments, count)
  local values = {}
  for i = 2, count do values[i - 1] = store:get(arguments[i]) or NULL end
  return values
end

function commands.MSET(store, arguments, count)
  if count % 2 == 0 then return resp.error "ERR wrong number of arguments for 'mset' command" end
  for i = 2, count, 2 do
    local ok, message = store:set(arguments[i], arguments[i + 1])
    if not ok then return resp.error(message) end
    store:expire(arguments[i], nil)
  end
  return OK
end

function commands.APPEND(store, arguments)
  local value = (store:get(arguments[2]) or "") .. arguments[3]
  if #value > store.limits.max_value then return resp.error "ERR string exceeds maximum allowed size" end
  local ok, message = store:set(arguments[2], value)
  return ok and #value or resp.error(message)
end

function commands.STRLEN(store, arguments)
  return #(store:get(arguments[2]) or "")
end

local function add(store, key, by)
  local number = integer_of(store:get(key) or "0")
  if not number or not by then return NOT_INTEGER end
  local sum = number + by
  if (by > 0) ~= (sum > number) and by ~= 0 then
    return resp.error "ERR increment or decrement would overflow"
  end
  local ok, message = store:set(key, tostring(sum))
  return ok and sum or resp.error(message)
end

function commands.INCR(store, arguments) return add(store, arguments[2], 1) end
function commands.DECR(store, arguments) return add(store, arguments[2], -1) end
function commands.INCRBY(store, arguments) return add(store, arguments[2], integer_of(arguments[3])) end

function commands.DECRBY(store, arguments)
  local by = integer_of(arguments[3])
  return add(store, arguments[2], by and by ~= math.mininteger and -by)
end

-- --- keys ---

local function count_keys(arguments, count, test)
  local found = 0
  for i = 2, count do
    if test(arguments[i]) then found = found + 1 end
  end
  return found
end

function commands.DEL(store, arguments, count)
  return count_keys(arguments, count, function(key) return store:remove(key) end)
end

function commands.EXISTS(store, arguments, count)
  return count_keys(arguments, count, function(key) return store:get(key) end)
end

local function expire(store, key, text, unit)
  local number = integer_of(text)
  if not number then return NOT_INTEGER end
  if not store:get(key) then return 0 end
  if number <= 0 then store:remove(key) else store:expire(key, number / unit) end
  return 1
end

function commands.EXPIRE(store, arguments) return expire(store, arguments[2], arguments[3], 1) end
function commands.PEXPIRE(store, arguments) return expire(store, arguments[2], arguments[3], 1000) end

local function left(store, key, unit)
  if not store:get(key) then return -2 end
  local seconds = store:left(key)
  return seconds and math.floor(seconds * unit + 0.5) or -1
end

function commands.TTL(store, arguments) return left(store, arguments[2], 1) end
function commands.PTTL(store, arguments) return left(store, arguments[2], 1000) end

function commands.PERSIST(store, arguments)
  local key = arguments[2]
  local had = store:get(key) and store:left(key)
  if had then store:expire(key, nil) end
  return had and 1 or 0
end

function commands.TYPE(store, arguments)
  return store:get(arguments[2]) and STRING or NONE
end

-- A glob as a Lua pattern: * ? [a-z] \x
local function pattern_of(glob)
  local pattern = glob:gsub("\\(.)", function(c) return ("\0%02x"):format(c:byte()) end)
    :gsub("[%^%$%(%)%%%.%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".")
    :gsub("%[([^%]]*)%]", function(set) return "[" .. set:gsub("%%%-", "-"):gsub("^%%%^", "^") .. "]" end)
    :gsub("\0(%x%x)", function(hex) return "%" .. string.char(tonumber(hex, 16)) end)
  return "^" .. pattern .. "$"
end

function commands.KEYS(store, arguments)
  local keys, pattern, gone = {}, pattern_of(arguments[2]), {}
  for key in pairs(store.values) do
    if not store.ends[key] or store:left(key) > 0 then
      local good, found = pcall(string.find, key, pattern)
      if good and found then keys[#keys + 1] = key end
    else
      gone[#gone + 1] = key
    end
  end
  for _, key in ipairs(gone) do store:remove(key) end
  return keys
end

function commands.DBSIZE(store) return store.count end

function commands.FLUSHALL(store)
  store:clear()
  return OK
end
commands.FLUSHDB = commands.FLUSHALL

-- --- the connection, and what clients ask first ---

function commands.PING(_, arguments, count)
  return count > 1 and arguments[2] or PONG
end

function commands.ECHO(_, arguments) return arguments[2] end

function commands.SELECT(_, arguments)
  return arguments[2] == "0" and OK or resp.error "ERR DB index is out of range"
end

function commands.QUIT() return OK, true end
function commands.COMMAND() return {} end
function commands.CLIENT() return OK end

-- redis-benchmark asks for two settings of the server that it measures, and goes on without.
function commands.CONFIG() return {} end

function commands.INFO(store)
  return ("# Keyspace\r\ndb0:keys=%d,expires=%d\r\n"):format(store.count, store.expiring)
end

-- --- calling them ---

-- How many arguments each takes, the command itself counted: at least and at most.
local arity = {
  GET = { 2, 2 }, SET = { 3, 7 }, MGET = { 2 }, MSET = { 3 }, APPEND = { 3, 3 }, STRLEN = { 2, 2 }, INCR = { 2, 2 },
  DECR = { 2, 2 }, INCRBY = { 3, 3 }, DECRBY = { 3, 3 }, DEL = { 2 }, EXISTS = { 2 }, EXPIRE = { 3, 3 },
  PEXPIRE = { 3, 3 }, TTL = { 2, 2 }, PTTL = { 2, 2 }, PERSIST = { 2, 2 }, TYPE = { 2, 2 }, KEYS = { 2, 2 },
  DBSIZE = { 1, 1 }, FLUSHALL = { 1, 2 }, FLUSHDB = { 1, 2 }, PING = { 1, 2 }, ECHO = { 2, 2 }, SELECT = { 2, 2 },
  QUIT = { 1, 1 }, COMMAND = { 1 }, CLIENT = { 2 }, CONFIG = { 2 }, INFO = { 1 },
}

-- by_name[NAME][COUNT] is always a function to call: what is wrong is answered by one too.
local by_name = {}

local function by_count(name, run, least, most)
  local function wrong()
    return resp.error(("ERR wrong number of arguments for '%s' command"):format(name))
  end
  local runs = {}
  for count = least, most or least do runs[count] = run end
  return setmetatable(runs, {
    __index = function(_, count) return not most and count > least and run or wrong end,
  })
end

for name, bounds in pairs(arity) do
  local lower = name:lower()
  by_name[name] = by_count(lower, commands[name], bounds[1], bounds[2])
  by_name[lower] = by_name[name]
end

-- Names in other cases than these two, and unknown ones.
return setmetatable(by_name, {
  __index = function(_, name)
    name = name:upper()
    return rawget(by_name, name) or setmetatable({}, {
      __index = function()
        return function() return resp.error(("ERR unknown command '%s'"):format(name:sub(1, 64))) end
      end,
    })
  end,
})
