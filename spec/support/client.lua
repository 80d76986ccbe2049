-- The other side of a connection, without surprises: everything has a deadline.

local loop = require "support.loop"
local uv = require "luv"

local client = {}

---@class support.connection
---@field received string what came and was not yet read
---@field ended boolean the peer has closed its side
---@field failure string|nil the error that ended it ("ECONNRESET")
local connection = {}
connection.__index = connection

local function open(address)
  local host, port = address:match "^tcp://%[?([^%]]*)%]?:(%d+)$"
  if host then
    local socket = uv.new_tcp()
    if host == "0.0.0.0" or host == "*" then host = "127.0.0.1" elseif host == "::" then host = "::1" end
    return socket, function(done) socket:connect(host, math.tointeger(tonumber(port)), done) end
  end
  local path = address:match "^unix:(.+)$"
  if not path then error(("not an address: %s"):format(address), 3) end
  local socket = uv.new_pipe(false)
  return socket, function(done) socket:connect((path:gsub("^@", "\0")), done) end
end

--- Connects; nil and the error's name when it is refused.
---@return support.connection|nil, string|nil
function client.connect(address, within)
  local socket, start = open(address)
  local done, failure
  start(function(problem) done, failure = true, problem end)
  loop.wait_for("a connection to " .. address, function() return done end, within)
  if failure then
    socket:close()
    return nil, (failure:match "^%u+" or failure)
  end
  local self = setmetatable({ socket = socket, received = "", ended = false }, connection)
  socket:read_start(function(problem, bytes)
    if bytes then self.received = self.received .. bytes else self.ended, self.failure = true, problem end
  end)
  return self
end

function connection:write(bytes)
  self.socket:write(bytes)
  return self
end

function connection:shutdown()
  self.socket:shutdown()
  return self
end

--- The next line without its end, or nil when the peer has closed.
function connection:read_line(within)
  loop.wait_for("a line", function() return self.received:find("\n", 1, true) or self.ended end, within)
  local line, rest = self.received:match "^([^\n]*)\n(.*)$"
  if line then self.received = rest end
  return line and (line:gsub("\r$", ""))
end

--- So many bytes, or nil when the peer has closed before.
function connection:read_exactly(count, within)
  loop.wait_for(count .. " bytes", function() return #self.received >= count or self.ended end, within)
  if #self.received < count then return nil end
  local bytes = self.received:sub(1, count)
  self.received = self.received:sub(count + 1)
  return bytes
end

--- Everything until the peer closes.
function connection:read_all(within)
  loop.wait_for("the end of the stream", function() return self.ended end, within)
  local bytes = self.received
  self.received = ""
  return bytes
end

function connection:close()
  if not self.socket:is_closing() then self.socket:close() end
end

--- Connects, sends, closes its side and returns everything that comes back.
function client.ask(address, bytes, within)
  local conn, failure = client.connect(address, within)
  if not conn then return nil, failure end
  if bytes then conn:write(bytes) end
  conn:shutdown()
  local answer = conn:read_all(within)
  conn:close()
  return answer
end

return client
