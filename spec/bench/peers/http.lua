-- http.lua PORT: "hello" on luv with a small parser in Lua. Like the plain C server it has no limits and no timeouts;
-- it knows no bodies either.

local uv = require "luv"

local date
local function refresh() date = os.date "!%a, %d %b %Y %H:%M:%S GMT" end
refresh()
local timer = uv.new_timer()
timer:start(1000, 1000, refresh)

local function headers_of(head)
  local headers = {}
  for name, value in head:gmatch "\r\n([^:\r\n]+):[ \t]*([^\r\n]*)" do headers[name:lower()] = value end
  return headers
end

local function answer(head)
  local headers = headers_of(head)
  local language = headers["accept-language"]
  local body = language and language:sub(1, 2) == "de" and "hallo\n" or "hello\n"
  return ("HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s"):format(
    date, #body, body), headers.connection == "close"
end

local function on_bytes(conn, pending)
  local start = 1
  while true do
    local stop = pending:find("\r\n\r\n", start, true)
    if not stop then return pending:sub(start) end
    local text, last = answer(pending:sub(start, stop + 1))
    conn:write(text)
    if last then conn:close() return "" end
    start = stop + 4
  end
end

local listener = uv.new_tcp()
assert(listener:bind("127.0.0.1", math.tointeger(tonumber(arg[1]))))
assert(listener:listen(4096, function(failure)
  assert(not failure, failure)
  local conn, pending = uv.new_tcp(), ""
  listener:accept(conn)
  conn:nodelay(true)
  conn:read_start(function(_, bytes)
    if bytes then
      pending = on_bytes(conn, pending == "" and bytes or pending .. bytes)
    elseif not conn:is_closing() then
      conn:close()
    end
  end)
end))
uv.run()
