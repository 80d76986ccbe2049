local luvd = require "luvd"
local net = require "luvd.net"

local call = require "commands"
local resp = require "resp"
local keys = require "store"

local service = {}

local function limits_of(config)
  return {
    max_keys = config.max_keys,
    max_value = luvd.size(config.max_value),
    max_arguments = config.max_arguments,
  }
end

-- Answers the requests that are whole, in one write; returns what is left of bytes, or nil when the connection ends.
local function answer(conn, store, bytes)
  local arguments, replies, at = {}, {}, 1
  local size = #bytes
  while at <= size do
    local count, next_at = resp.request(bytes, at, store.limits, arguments)
    if not count then
      replies[#replies + 1] = resp.error("ERR " .. next_at)
      conn:write(replies)
      return nil
    elseif next_at == at then
      break
    end
    at = next_at
    if count > 0 then replies[#replies + 1] = call(store, arguments, count) end
    if count == 1 and arguments[1]:upper() == "QUIT" then
      conn:write(replies)
      return nil
    end
  end
  if #replies > 0 and not conn:write(table.concat(replies)) then return nil end
  return at > size and "" or bytes:sub(at)
end

-- A request longer than one read is put together once per doubling, not once per read.
local function serve(conn, store)
  local left, pieces, held, need = "", {}, 0, 0
  for chunk in conn:chunks() do
    pieces[#pieces + 1], held = chunk, held + #chunk
    if #left + held >= need then
      left = answer(conn, store, left .. (#pieces == 1 and chunk or table.concat(pieces)))
      if not left then return end
      pieces, held, need = {}, 0, 2 * #left
      if #left < 65536 then need = 0 end
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
