-- A request and its answer, byte by byte: what curl would tidy up stays visible.

local client = require "support.client"

local http = {}

local function unchunk(bytes)
  local pieces, at = {}, 1
  while true do
    local size, from = bytes:match("^(%x+)\r\n()", at)
    if not size then return nil end
    size = math.tointeger(tonumber(size, 16))
    if size == 0 then return table.concat(pieces) end
    pieces[#pieces + 1] = bytes:sub(from, from + size - 1)
    at = from + size + 2
  end
end

---@class support.answer
---@field status integer
---@field headers table<string, string> names in lower case; of equal ones the last
---@field body string|nil without chunks; nil: the chunks are cut off

--- Takes an answer apart.
---@return support.answer
function http.parse(bytes)
  local status, fields, body = bytes:match "^HTTP/1%.1 (%d%d%d) [^\r]*\r\n(.-\r\n)\r\n(.*)$"
  if not status then error(("no answer: %q"):format(bytes), 2) end
  local headers = {}
  for name, value in fields:gmatch "([^:\r\n]+): ([^\r\n]*)" do headers[name:lower()] = value end
  if headers["transfer-encoding"] == "chunked" then body = unchunk(body) end
  return { status = math.tointeger(tonumber(status)), headers = headers, body = body }
end

--- Sends a request and returns what comes until the connection ends. line: "GET /path"; headers: a list of lines.
---@return support.answer
function http.ask(address, line, headers, body)
  local lines = { line .. " HTTP/1.1", "Host: test", "Connection: close", table.unpack(headers or {}) }
  if body then lines[#lines + 1] = "Content-Length: " .. #body end
  local bytes, failure = client.ask(address, table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or ""))
  if not bytes then error(("no connection to %s: %s"):format(address, failure), 2) end
  return http.parse(bytes)
end

return http
