-- http.request.

local luvd, net, json = require "luvd", require "luvd.net", require "luvd.json"
local native, message, pool = require "luvd.http.native", require "luvd.http.message", require "luvd.http.pool"

-- RFC 9110 9.2.2: what may be sent again when nothing of an answer has come.
local idempotent = { GET = true, HEAD = true, OPTIONS = true, PUT = true, DELETE = true, TRACE = true }
local DRAIN = 65536 -- bytes of a redirect's body that are read to keep its connection

-- --- the answer ---

local response = {}
response.__index = response

local function finish(self, keep)
  local body = self.stream
  if not body.conn then return end
  local conn = body.conn
  body.conn = nil
  if keep and body.keeps then pool.give(body.address, conn) else conn:reset() end
end

local function next_piece(self)
  local body = self.stream
  if body.over then return nil, body.problem, body.code end
  local piece, problem, code = message.pull(body)
  if piece then
    body.taken = body.taken + #piece
    if body.taken <= body.max then return piece end
    problem, code = "the body is longer than max", "EMSGSIZE"
  end
  body.over, body.problem, body.code = true, problem, code
  finish(self, not code)
  return nil, problem, code
end

function response:chunks()
  return function()
    local piece = next_piece(self)
    return piece
  end
end

function response:failure()
  return self.stream.problem, self.stream.code
end

function response:body()
  if self.stream.whole then return self.stream.whole end
  local pieces = {}
  for piece in self:chunks() do pieces[#pieces + 1] = piece end
  local problem, code = self:failure()
  if problem then return nil, problem, code end
  self.stream.whole = table.concat(pieces)
  return self.stream.whole
end

function response:json()
  local text, problem, code = self:body()
  if not text then return nil, problem, code end
  return json.decode(text)
end

function response:header_all(name)
  local list = {}
  for _, field in ipairs(self.stream.fields) do
    if field[1]:lower() == name:lower() then list[#list + 1] = field[2] end
  end
  return list
end

function response:close()
  if not self.stream.over then
    self.stream.over, self.stream.problem, self.stream.code = true, "the answer is closed", "ECLOSED"
  end
  finish(self, false)
end

response.__close = response.close

-- --- options ---

local kinds = { method = "string", headers = "table", json = "any", form = "table", body = "body",
  redirects = "integer", timeout = "unit", max = "unit", pool = "boolean" }

local function check_option(key, value)
  local kind, got = kinds[key], math.type(value) or type(value)
  if not kind then
    error(("unknown option %q: there are body, form, headers, json, max, method, pool, redirects, timeout"):format(
      tostring(key)), 0)
  end
  if kind == "body" then kind = (got == "function" or got == "table") and got or "string" end
  if kind == "unit" or kind == "any" or kind == got then return end
  error(("option %s: expected a %s, got %s"):format(key, kind, got), 0)
end

local function escape(text)
  return (tostring(text):gsub("[^%w%-._~]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

local function encode_form(form)
  local pairs_of, names = {}, {}
  for name in pairs(form) do names[#names + 1] = name end
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    for _, value in ipairs(type(form[name]) == "table" and form[name] or { form[name] }) do
      pairs_of[#pairs_of + 1] = escape(name) .. "=" .. escape(value)
    end
  end
  return table.concat(pairs_of, "&")
end

-- A duration or a size; what is wrong with it is told without the name of the function that reads it.
local function unit(read, key, value)
  local ok, number = pcall(read, value)
  if not ok then error(("option %s: %s"):format(key, number:match "%((expected.*)%)$" or number), 0) end
  return number
end

-- The body and its type.
local function read_body(options)
  local given = (options.body ~= nil and 1 or 0) + (options.json ~= nil and 1 or 0) + (options.form ~= nil and 1 or 0)
  if given > 1 then error("a request has one body: body, json or form", 0) end
  if options.json ~= nil then return json.encode(options.json), "application/json" end
  if options.form then return encode_form(options.form), "application/x-www-form-urlencoded" end
  if type(options.body) == "table" then return table.concat(options.body) end
  return options.body
end

local function has(fields, name)
  for _, field in ipairs(fields) do
    if field[1]:lower() == name then return true end
  end
end

local function read_options(options)
  for key, value in pairs(options) do check_option(key, value) end
  local request = { fields = message.fields(options.headers), redirects = options.redirects or 5,
    max = unit(luvd.size, "max", options.max or "16MiB"), pooled = options.pool ~= false }
  local kind
  request.body, kind = read_body(options)
  request.method = options.method or request.body and "POST" or "GET"
  if not request.method:match "^%u+$" or request.method == "CONNECT" then
    error(("%q is no method"):format(request.method), 0)
  end
  if kind and not has(request.fields, "content-type") then table.insert(request.fields, { "Content-Type", kind }) end
  if not has(request.fields, "user-agent") then
    table.insert(request.fields, { "User-Agent", "luvd/" .. luvd.version })
  end
  local deadline = luvd.now() + unit(luvd.duration, "timeout", options.timeout or "30s")
  function request.left() return math.max(deadline - luvd.now(), 0) end
  return request
end

-- --- one exchange ---

local function compose(request, target)
  local lines = { ("%s %s HTTP/1.1"):format(request.method, target.target), "Host: " .. target.authority }
  for _, field in ipairs(request.fields) do lines[#lines + 1] = field[1] .. ": " .. field[2] end
  local body = request.body
  if type(body) == "function" then
    lines[#lines + 1] = "Transfer-Encoding: chunked"
  elseif body or request.method == "POST" or request.method == "PUT" or request.method == "PATCH" then
    lines[#lines + 1] = "Content-Length: " .. #(body or "")
  end
  if not request.pooled then lines[#lines + 1] = "Connection: close" end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

local function send(conn, request, target)
  local body = request.body
  local head = compose(request, target)
  if type(body) ~= "function" then return conn:write({ head, body or "" }, { timeout = request.left() }) end
  local ok, problem, code = conn:write(head, { timeout = request.left() })
  for piece in body do
    if not ok then return nil, problem, code end
    if type(piece) ~= "string" then error("the function of a body returns text or nil, got " .. type(piece), 0) end
    if piece ~= "" then
      ok, problem, code = conn:write({ ("%x\r\n"):format(#piece), piece, "\r\n" }, { timeout = request.left() })
    end
  end
  if not ok then return nil, problem, code end
  return conn:write("0\r\n\r\n", { timeout = request.left() })
end

-- Is the connection not wanted any more, whichever way a function is left?
local guard = { __close = function(self)
  if self.conn then self.conn:reset() end
end }

-- One try over a connection: the response, or nil, message, code, and whether nothing of an answer has come.
local function exchange(conn, request, target)
  local held <close> = setmetatable({ conn = conn }, guard)
  local ok, problem, code = send(conn, request, target)
  if not ok then return nil, problem, code, code ~= "ETIMEDOUT" end
  local head, nothing
  head, problem, code, nothing = message.read_head(conn, request.left)
  if not head then return nil, problem, code, nothing end
  local kind, rest, keeps = message.framing(head, request.method)
  if not kind then return nil, rest, keeps end -- message and code
  held.conn = nil
  local answer = setmetatable({ status = head.status, reason = head.reason, headers = head.headers }, response)
  answer.stream = { conn = conn, kind = kind, rest = rest, keeps = keeps and request.pooled, left = request.left,
    max = request.max, taken = 0, address = target.address, fields = head.fields }
  if kind == "none" or kind == "length" and rest == 0 then next_piece(answer) end
  return answer
end

-- Over a connection that is kept, and when that is stale over a new one.
local function attempt(request, target)
  local again = idempotent[request.method] and type(request.body) ~= "function"
  local kept = request.pooled and again and pool.take(target.address)
  if kept then
    local answer, problem, code, nothing = exchange(kept, request, target)
    if answer or not nothing then return answer, problem, code end
  end
  local conn, problem, code = net.connect(target.address, { timeout = math.max(request.left(), 0.001) })
  if not conn then return nil, problem, code end
  local answer
  answer, problem, code = exchange(conn, request, target)
  return answer, problem, code
end

-- --- redirects, RFC 9110 15.4 ---

local followed = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }

-- Does the request become a GET without a body?
local function becomes_get(status, method)
  if status == 303 then return method ~= "GET" and method ~= "HEAD" end
  return (status == 301 or status == 302) and method == "POST"
end

local function filter(fields, unwanted)
  local list = {}
  for _, field in ipairs(fields) do
    if not unwanted(field[1]:lower()) then list[#list + 1] = field end
  end
  return list
end

local secrets = { authorization = true, cookie = true, ["proxy-authorization"] = true }

local function turn(request, answer, target, next_target)
  if becomes_get(answer.status, request.method) then
    request.method, request.body = "GET", nil
    request.fields = filter(request.fields, function(name) return name:match "^content%-" end)
  end
  if next_target.origin ~= target.origin then
    request.fields = filter(request.fields, function(name) return secrets[name] end)
  end
end

-- Reads over a short body, so that the connection can be used again.
local function discard(answer)
  local taken = 0
  for piece in answer:chunks() do
    taken = taken + #piece
    if taken > DRAIN then break end
  end
  answer:close()
end

local function parse(text)
  local target, problem, code = native.parse(text)
  if target and target.secure then return nil, "https is not supported yet", "EPROTONOSUPPORT" end
  return target, problem, code
end

local function follow(text, request)
  local target, problem, code = parse(text)
  for count = 0, request.redirects do
    if not target then return nil, problem, code end
    local answer
    answer, problem, code = attempt(request, target)
    if not answer then return nil, problem, code end
    answer.url = text
    local location = followed[answer.status] and answer.headers.location
    if not location or request.redirects == 0 then return answer end
    if type(request.body) == "function" and not becomes_get(answer.status, request.method) then return answer end
    discard(answer)
    if count == request.redirects then break end
    text, problem, code = native.resolve(text, location)
    if not text then return nil, problem, code end
    local from = target
    target, problem, code = parse(text)
    if target then turn(request, answer, from, target) end
  end
  return nil, ("more than %d redirects"):format(request.redirects), "ELOOP"
end

return function(text, options)
  if type(text) ~= "string" then error("the URL of a request is text, got " .. type(text), 2) end
  if options ~= nil and type(options) ~= "table" then
    error("the options of a request are a table, got " .. type(options), 2)
  end
  local ok, request = pcall(read_options, options or {})
  if not ok then error(request, 2) end
  return follow(text, request)
end
