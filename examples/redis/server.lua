local luvd = require "luvd"
local net = require "luvd.net"
local resp = require "luvd.resp"

local commands = require "commands"
local keys = require "store"

local decode_request = resp.decode_request

local service = {}

local function limits_of(config)
  return {
    max_keys = config.max_keys,
    max_value = luvd.size(config.max_value),
    max_arguments = config.max_arguments,
    max_request = luvd.size(config.max_request),
  }
end

-- One of each for all connections: nothing waits between decoding and encoding.
local arguments, replies = {}, {}

-- Fills replies with those to the requests that are whole. Returns how many they are, where the first request begins
-- that is not whole, and how many bytes it lacks at least; only their number when the connection ends.
local function answer(store, bytes)
  local max_value, max_arguments = store.limits.max_value, store.limits.max_arguments
  local written, at = 0, 1
  while true do
    local count, next_at, _, missing = decode_request(bytes, at, arguments, max_value, max_arguments)
    if missing then
      return written, at, missing
    elseif not count then
      replies[written + 1] = resp.error("ERR Protocol error: " .. next_at)
      return written + 1
    elseif count > 0 then
      local last
      written = written + 1
      replies[written], last = commands[arguments[1]][count](store, arguments, count)
      if last then return written end
    end
    at = next_at
  end
end

local TOO_BIG = resp.encode(resp.error "ERR Protocol error: too big request")

-- A value of many reads is put together once, when it has come.
local function serve(conn, store)
  local left, pieces, held, missing = "", {}, 0, 0
  for chunk in conn:chunks() do
    pieces[#pieces + 1], held = chunk, held + #chunk
    if held >= missing then
      local bytes, count, at = left .. (#pieces == 1 and chunk or table.concat(pieces))
      count, at, missing = answer(store, bytes)
      local encoded = resp.encode_all(replies, count)
      if count > 64 then replies = {} end -- a long pipeline is rare, and its values may be large
      if count > 0 and not conn:write(encoded) or not at then return end
      left, pieces, held = bytes:sub(at), {}, 0
      if #left + missing > store.limits.max_request then
        conn:write(TOO_BIG)
        return
      end
    end
  end
end

local store, timer

function service.start(daemon)
  store = keys.new(limits_of(daemon.config))
  timer = luvd.every(daemon.config.sweep, function() store:sweep() end)
  net.serve(daemon.listeners.redis, function(conn) serve(conn, store) end)
end

function service.reload(daemon) -- the keys stay
  store.limits = limits_of(daemon.config)
  timer:set(daemon.config.sweep)
end

return service
