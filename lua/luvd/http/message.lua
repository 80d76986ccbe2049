-- What goes over the wire: heads that are written, heads and bodies that are read. Strict: what two programs could read
-- in two ways is refused.

local message = {}

local HEAD, LINE, FIELDS, INTERIM, TRAILER, CHUNK_LINE = 32768, 8192, 200, 10, 8192, 300 -- bytes, or how many
local TOKEN = "^[%w!#$%%&'*+%-.^_`|~]+$"

-- --- names and values ---

local headers = {}

function headers.__index(self, name)
  return type(name) == "string" and rawget(self, name:lower()) or nil
end

-- Fields that came several times are one list, RFC 9110 5.3.
local function join(fields)
  local list = setmetatable({}, headers)
  for _, field in ipairs(fields) do
    local name, before = field[1]:lower(), rawget(list, field[1]:lower())
    rawset(list, name, before and before .. ", " .. field[2] or field[2])
  end
  return list
end

local function check(name, value)
  if type(name) ~= "string" or not name:match(TOKEN) then
    error(("%q is no name of a header"):format(tostring(name)), 0)
  end
  if type(value) ~= "string" and type(value) ~= "number" then
    error(("header %q has a %s as its value"):format(name, type(value)), 0)
  end
  if tostring(value):find "[%z\1-\8\10-\31\127]" then
    error(("the value of header %q has a control character"):format(name), 0)
  end
end

-- Where a message ends is written by us.
local ours = { ["content-length"] = true, ["transfer-encoding"] = true, connection = true, host = true, te = true,
  upgrade = true, expect = true }

--- The user's fields as a list of { name, value }. Raises.
function message.fields(given)
  local list = {}
  for name, values in pairs(given or {}) do
    for _, value in ipairs(type(values) == "table" and values or { values }) do
      check(name, value)
      if ours[name:lower()] then error(("header %q is luvd's business"):format(name), 0) end
      list[#list + 1] = { name, tostring(value) }
    end
  end
  return list
end

-- --- reading ---

local function bad(what)
  return nil, what, "EPROTO"
end

-- Lines end with CR LF and hold no other control character but a tab.
local function split(text)
  local lines, at = {}, 1
  repeat
    local stop = text:find("\r\n", at, true)
    local line = text:sub(at, (stop or 0) - 1)
    if #line > LINE then return bad "a line of the head is longer than 8 KiB" end
    if line:find "[%z\1-\8\10-\31\127]" then return bad "the head has a control character" end
    lines[#lines + 1] = line
    at = stop and stop + 2
  until not at
  return lines
end

local function parse(text)
  local lines, problem, code = split(text)
  if not lines then return nil, problem, code end
  if #lines - 1 > FIELDS then return bad "the head has more than 200 fields" end
  local minor, status, rest = lines[1]:match "^HTTP/1%.([01]) ([1-5]%d%d)(.*)$"
  if not minor or not rest:match "^ " and rest ~= "" then return bad "the answer does not begin as HTTP/1.1 does" end
  local fields = {}
  for index = 2, #lines do
    local name, value = lines[index]:match "^([^:]*):[ \t]*(.-)[ \t]*$"
    if not name or not name:match(TOKEN) then return bad "a field of the head is malformed" end
    fields[#fields + 1] = { name, value }
  end
  return { minor = minor, status = math.tointeger(tonumber(status)), reason = rest:sub(2), fields = fields,
    headers = join(fields) }
end

-- What becomes of a wait that has failed, in words of this protocol.
local function explain(problem, code)
  if code == "EOF" then return "the server has ended the answer too early", "EOF" end
  if code == "EMSGSIZE" then return "the head of the answer is longer than 32 KiB", "EPROTO" end
  return problem, code
end

--- The head of the final answer. left(): how long may still be waited. Returns nil, message, code, and whether nothing
--- at all has come.
function message.read_head(conn, left)
  for _ = 1, INTERIM do
    local text, problem, code, partial = conn:read_until("\r\n\r\n", { max = HEAD, timeout = left() })
    if not text then
      local nothing = problem == nil or code ~= "ETIMEDOUT" and code ~= "EMSGSIZE" and (partial or "") == ""
      problem, code = explain(problem or "", code or "EOF")
      return nil, problem, code, nothing
    end
    local head
    head, problem, code = parse(text)
    if not head or head.status >= 200 then return head, problem, code end
    if head.status == 101 then return bad "the server changes the protocol without being asked" end
  end
  return bad "the server sends one interim answer after the other"
end

-- Does a list such as that of Connection have this word?
local function lists(value, word)
  for one in (value or ""):gmatch "[^,%s]+" do
    if one:lower() == word then return true end
  end
  return false
end

--- How the body ends: "none", "chunked", "length" with its number, or "close"; and whether the connection is of use
--- afterwards. RFC 9112 6.3.
function message.framing(head, method)
  local coding, length = head.headers["transfer-encoding"], head.headers["content-length"]
  local keeps = head.minor == "1" and not lists(head.headers.connection, "close")
  if coding and length then return bad "the answer has a length beside a coding" end
  if coding and (head.minor == "0" or coding:lower() ~= "chunked") then
    return bad "the answer has an unknown Transfer-Encoding"
  end
  if length and not (length:match "^%d+$" and #length <= 15) then
    return bad "the answer has a malformed Content-Length, or several"
  end
  if method == "HEAD" or head.status == 204 or head.status == 304 then return "none", 0, keeps end
  if coding then return "chunked", 0, keeps end
  if length then return "length", math.tointeger(tonumber(length)), keeps end
  return "close", 0, false
end

-- --- bodies: body.left() is how long may still be waited ---

local pull = {}

local function fail(problem, code)
  if not code then return nil, "the server has ended the answer too early", "EOF" end -- read's nil alone
  return nil, explain(problem, code)
end

function pull.none() end

function pull.close(body)
  local bytes, problem, code = body.conn:read { timeout = body.left() }
  if bytes or not code then return bytes end
  return fail(problem, code)
end

function pull.length(body)
  if body.rest == 0 then return nil end
  local bytes, problem, code = body.conn:read { max = math.min(body.rest, 65536), timeout = body.left() }
  if not bytes then return fail(problem, code) end
  body.rest = body.rest - #bytes
  return bytes
end

-- The size of the next chunk; nil alone: the trailers have ended too.
local function next_chunk(body)
  local line, problem, code = body.conn:read_until("\r\n", { max = CHUNK_LINE, timeout = body.left() })
  if not line and code == "EMSGSIZE" then return bad "a chunk of the body is malformed" end
  if not line then return fail(problem, code) end
  local size = line:match "^(%x+)[ \t]*$" or line:match "^(%x+)[ \t]*;[^%c]*$"
  if not size or #size > 12 then return bad "a chunk of the body is malformed" end
  size = tonumber(size, 16)
  if size > 0 then return size end
  local trailers = 0
  repeat
    line, problem, code = body.conn:read_until("\r\n", { max = TRAILER, timeout = body.left() })
    if not line and code == "EMSGSIZE" then return bad "the trailers of the body are too long" end
    if not line then return fail(problem, code) end
    trailers = trailers + #line
    if trailers > TRAILER then return bad "the trailers of the body are too long" end
  until line == ""
end

function pull.chunked(body)
  if body.rest == 0 then
    local size, problem, code = next_chunk(body)
    if not size then return nil, problem, code end
    body.rest = size
  end
  local bytes, problem, code = body.conn:read { max = math.min(body.rest, 65536), timeout = body.left() }
  if not bytes then return fail(problem, code) end
  body.rest = body.rest - #bytes
  if body.rest == 0 then
    local stop
    stop, problem, code = body.conn:read_exactly(2, { timeout = body.left() })
    if not stop then return fail(problem, code) end
    if stop ~= "\r\n" then return bad "a chunk of the body is malformed" end
  end
  return bytes
end

--- The next piece of a body { conn, kind, rest, left }; nil alone at its end.
function message.pull(body)
  return pull[body.kind](body)
end

return message
