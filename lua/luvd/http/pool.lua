-- Connections of http.request that wait for their next request, by address.

local luvd, native = require "luvd", require "luvd.http.native"

local PER_ADDRESS, ALL, IDLE, LOOK = 8, 64, 30, 10 -- seconds

local pool = {}
local idle, count, timer = {}, 0, nil

local function drop(address, index)
  local list = idle[address]
  local entry = table.remove(list, index)
  count = count - 1
  if #list == 0 then idle[address] = nil end
  return entry.conn
end

-- In a script nothing of luvd's own keeps the loop going: it ends though connections are kept.
local in_script = pcall(require, "luvd.script")

local function every(seconds, fn)
  if not in_script then return luvd.every(seconds, fn) end
  local quiet = require("uv").new_timer()
  quiet:start(seconds * 1000, seconds * 1000, fn)
  quiet:unref()
  return quiet
end

local function end_timer()
  if timer then timer:close() end
  timer = nil
end

-- Closes what has waited too long; the oldest of an address come first.
local function sweep()
  local now, old = luvd.now(), {}
  for address, list in pairs(idle) do
    if now - list[1].since >= IDLE then old[#old + 1] = address end
  end
  for _, address in ipairs(old) do
    while idle[address] and now - idle[address][1].since >= IDLE do drop(address, 1):reset() end
  end
  if count == 0 then end_timer() end
end

local function oldest()
  local address
  for other, list in pairs(idle) do
    if not address or list[1].since < idle[address][1].since then address = other end
  end
  return address
end

--- Keeps a connection whose last answer has been read to its end.
function pool.give(address, conn)
  local list = idle[address]
  if list and #list == PER_ADDRESS then drop(address, 1):reset() end
  if count == ALL then drop(oldest(), 1):reset() end
  idle[address] = idle[address] or {}
  table.insert(idle[address], { conn = conn, since = luvd.now() })
  count = count + 1
  timer = timer or every(LOOK, sweep)
end

--- The connection that was used last, or nil. What its peer has closed, or said without being asked, is no use.
function pool.take(address)
  while idle[address] do
    local list = idle[address]
    local fresh = luvd.now() - list[#list].since < IDLE
    local conn = drop(address, #list)
    if fresh and native.is_quiet(conn) then return conn end
    conn:reset()
  end
end

--- Closes all.
function pool.clear()
  for address, list in pairs(idle) do
    for index = #list, 1, -1 do drop(address, index):reset() end
  end
  end_timer()
end

return pool
