-- What a test asks of a running daemon: the frames of docs/control.md.

local eval = require "luvd.testing.eval"
local json = require "luvd.json"
local net = require "luvd.net"

local control = {}

local PATIENCE = 10 -- seconds, for a frame; the daemon asks for more itself

local function send(conn, kind, text)
  return conn:write(string.pack(">s4", kind .. text), { timeout = PATIENCE })
end

-- Its type and payload; nil and why there is none.
local function receive(conn)
  local within = PATIENCE
  while true do
    local head, message = conn:read_exactly(4, { timeout = within })
    local frame
    if head then
      frame, message = conn:read_exactly(string.unpack(">I4", head), { timeout = PATIENCE })
    end
    if not frame then return nil, message or "the daemon has closed the connection" end
    if frame:sub(1, 1) ~= "W" then return frame:sub(1, 1), frame:sub(2) end
    within = PATIENCE + (tonumber(frame:sub(2)) or 0) / 1000
  end
end

-- Everything up to the frame of this type: the bytes before it, and its payload. nil, message.
local function answer(conn, last)
  local parts = {}
  while true do
    local kind, payload = receive(conn)
    if not kind then return nil, payload end
    if kind == last then return table.concat(parts), payload end
    if kind == "E" then return nil, payload:sub(2) end
    parts[#parts + 1] = payload
  end
end

local function request(path, words, last)
  local conn, message = net.connect("unix:" .. path, { timeout = PATIENCE })
  if not conn then return nil, message end
  local ok, problem = send(conn, "Q", words)
  if not ok then
    conn:close()
    return nil, problem
  end
  local output, payload = answer(conn, last)
  return conn, output, payload
end

--- `reload`: true, or nil and why it was refused.
---@param path string of the control socket
---@return true?, string?
function control.reload(path)
  local conn, output, payload = request(path, "reload", "E")
  if not conn then return nil, output end
  conn:close()
  if not output then return nil, payload end
  if payload:byte(1) == 0 then return true end
  return nil, payload:sub(2)
end

--- `status json` as a table; raises.
---@param path string
---@return table
function control.status(path)
  local conn, output, payload = request(path, "status json", "E")
  if not conn then error("status: " .. output, 0) end
  conn:close()
  if not output or payload:byte(1) ~= 0 then error("status: " .. payload, 0) end
  return (assert(json.decode(output)))
end

--- What a console answers to a text. Raises its error.
---@param path string
---@param text string
---@return string
function control.evaluate(path, text)
  local conn, greeting, refusal = request(path, "console", "R")
  if not conn then error("eval: " .. greeting, 0) end
  local leave <close> = conn
  if not greeting then error("eval: " .. refusal, 0) end
  assert(send(conn, "L", text))
  local output, failed = answer(conn, "R")
  if not output then error("eval: " .. failed, 0) end
  if failed:byte(1) ~= 0 then eval.fail(output) end
  return output
end

return control
