-- http.request, against a server of the spec's own that misbehaves on demand.

local http = require "support.http"
local loop = require "support.loop"
local luvd = require "support.luvd"
local uv = require "luv"

local text = [[
local http, json, luvd = require "luvd.http", require "luvd.json", require "luvd"
return {
  listen = { web = "tcp://127.0.0.1:0" },
  service = { start = function(daemon)
    http.serve(daemon.listeners.web, function(request)
      local asked = request:json()
      local response <close>, message, code = http.request(asked.url, asked.options)
      if not response then return { json = { message = message, code = code } } end
      local body
      body, message, code = response:body()
      return { json = { status = response.status, reason = response.reason, body = body, message = message, code = code,
        url = response.url, type = response.headers["Content-TYPE"], cookies = response:header_all "set-cookie" } }
    end)
  end },
}]]

-- A server that answers each request with what answers[PATH] says: bytes, a list of pieces ("close" ends the
-- connection, "reset" resets it, a function is called), or a function of the request that returns one of these. What
-- was asked is in requests.
local function serve(t, answers)
  local server = uv.new_tcp()
  local upstream = { requests = {}, connections = 0, open = {} }
  assert(server:bind("127.0.0.1", 0))
  local function answer(socket, request)
    upstream.requests[#upstream.requests + 1] = request
    local pieces = answers[request:match "^%u+ ([^ ?]+)"]
    if type(pieces) == "function" then pieces = pieces(request) end
    for _, piece in ipairs(type(pieces) == "table" and pieces or { pieces }) do
      if piece == "close" then
        socket:shutdown(function() if not socket:is_closing() then socket:close() end end)
      elseif piece == "reset" then
        socket:close_reset()
      elseif type(piece) == "function" then
        piece(socket)
      else
        socket:write(piece)
      end
    end
  end
  server:listen(16, function()
    local socket, received = uv.new_tcp(), ""
    server:accept(socket)
    upstream.connections = upstream.connections + 1
    upstream.open[#upstream.open + 1] = socket
    socket:read_start(function(_, bytes)
      if not bytes then
        if not socket:is_closing() then socket:close() end
        return
      end
      received = received .. bytes
      while true do
        local head, rest = received:match "^(.-\r\n\r\n)(.*)$"
        local length = head and math.tointeger(tonumber(head:match "Content%-Length: (%d+)" or 0))
        local chunked = head and head:find("chunked", 1, true)
        local body = head and (chunked and rest:match "^.-0\r\n\r\n" or not chunked and #rest >= length and
          rest:sub(1, length))
        if not body then return end
        received = rest:sub(#body + 1)
        answer(socket, head .. body)
      end
    end)
  end)
  upstream.url = "http://127.0.0.1:" .. math.tointeger(server:getsockname().port)
  t:finally(function() server:close() end)
  return upstream
end

-- The daemon that asks for us, as a function of a path (or a URL) and options.
local function client(t, upstream)
  local d = t:start(t:file(text))
  local address = d:address()
  local function ask(path, options)
    local url = path:match "^%a+:" and path or upstream.url .. path
    return luvd.json.decode(http.ask(address, "POST /", nil, luvd.json.encode { url = url, options = options }).body)
  end
  return ask, d
end

local ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"

describe("http.request", function()
  it("reads bodies of every kind", luvd.test(function(t)
    local upstream = serve(t, {
      ["/length"] = ok,
      ["/chunks"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A;x=y\r\n", "0123456789\r\n",
        "0\r\nTrailer: x\r\n\r\n" },
      ["/close"] = { "HTTP/1.0 200 Fine by me\r\n\r\nto the end", "close" },
      ["/interim"] = { "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n", ok },
      ["/none"] = "HTTP/1.1 204 No Content\r\n\r\n",
      ["/same"] = "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n",
      ["/cookies"] = "HTTP/1.1 404\r\nSet-Cookie: a=1\r\nset-cookie: b=2, c\r\nContent-Length: 0\r\n\r\n",
    })
    local ask, d = client(t, upstream)
    assert.same({ status = 200, reason = "OK", body = "ok", url = upstream.url .. "/length", type = "text/plain",
      cookies = {} }, ask "/length")
    assert.equal("abc0123456789", ask("/chunks").body)
    local close = ask "/close"
    assert.same({ "to the end", "Fine by me" }, { close.body, close.reason })
    assert.equal("ok", ask("/interim").body)
    assert.same({ 204, "" }, { ask("/none").status, ask("/none").body })
    assert.same({ 304, "" }, { ask("/same").status, ask("/same").body })
    local cookies = ask "/cookies"
    assert.same({ 404, "", { "a=1", "b=2, c" } }, { cookies.status, cookies.reason, cookies.cookies })
    assert.equal("", ask("/length", { method = "HEAD" }).body)
    d:stop()
  end))

  it("sends what it is told, and no more", luvd.test(function(t)
    local upstream = serve(t, { ["/"] = ok, ["/a%20b"] = ok })
    local ask, d = client(t, upstream)
    ask("/a%20b?c=d#e", { headers = { ["X-Own"] = "yes" } })
    ask("/", { json = { a = 1 } })
    ask("/", { form = { b = "x y&", a = { 1, 2 } } })
    ask("/", { method = "PUT", body = "text", pool = false, headers = { ["User-Agent"] = "me" } })
    ask("/", { method = "DELETE" })
    local host = upstream.url:match "^http://(.*)"
    assert.matches("^GET /a%%20b%?c=d HTTP/1.1\r\nHost: " .. host:gsub("%p", "%%%0") .. "\r\n", upstream.requests[1])
    assert.matches("\r\nX%-Own: yes\r\n", upstream.requests[1])
    assert.matches("\r\nUser%-Agent: luvd/", upstream.requests[1])
    assert.matches('^POST / .*\r\nContent%-Type: application/json\r\n.*\r\n\r\n{"a":1}$', upstream.requests[2])
    assert.matches("x%-www%-form%-urlencoded\r\n.*\r\n\r\na=1&a=2&b=x%%20y%%26$", upstream.requests[3])
    assert.matches("^PUT / .*\r\nConnection: close\r\n\r\ntext$", upstream.requests[4])
    assert.is_nil(upstream.requests[4]:find("luvd", 1, true))
    assert.is_nil(upstream.requests[5]:find("Content-Length", 1, true))
    d:stop()
  end))

  local wrong = {
    ["garbage"] = { "\1\2\3\r\n\r\n", "EPROTO", "the head has a control character" },
    ["another protocol"] = { "SSH-2.0-x\r\n\r\n", "EPROTO", "the answer does not begin as HTTP/1.1 does" },
    ["HTTP/2"] = { "HTTP/2 200 OK\r\n\r\n", "EPROTO", "the answer does not begin as HTTP/1.1 does" },
    ["a bare line feed"] = { "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "EPROTO", "the head has a control character" },
    ["a folded line"] = { "HTTP/1.1 200 OK\r\nA: b\r\n c: d\r\n\r\n", "EPROTO", "a field of the head is malformed" },
    ["a space before a colon"] = { "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "EPROTO", "a field of the head is malformed" },
    ["a length beside a coding"] = { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" ..
      "0\r\n\r\n", "EPROTO", "the answer has a length beside a coding" },
    ["two lengths"] = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "EPROTO",
      "the answer has a malformed Content-Length, or several" },
    ["a negative length"] = { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "EPROTO",
      "the answer has a malformed Content-Length, or several" },
    ["another coding"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "EPROTO",
      "the answer has an unknown Transfer-Encoding" },
    ["a switch of protocols"] = { "HTTP/1.1 101 Switching Protocols\r\n\r\n", "EPROTO",
      "the server changes the protocol without being asked" },
    ["endless interim answers"] = { ("HTTP/1.1 100 Continue\r\n\r\n"):rep(20), "EPROTO",
      "the server sends one interim answer after the other" },
    ["endless headers"] = { "HTTP/1.1 200 OK\r\n" .. ("A: b\r\n"):rep(20000), "EPROTO",
      "the head of the answer is longer than 32 KiB" },
    ["many headers"] = { "HTTP/1.1 200 OK\r\n" .. ("A: b\r\n"):rep(201) .. "\r\n", "EPROTO",
      "the head has more than 200 fields" },
    ["a long line"] = { "HTTP/1.1 200 OK\r\nA: " .. ("b"):rep(9000) .. "\r\n\r\n", "EPROTO",
      "a line of the head is longer than 8 KiB" },
    ["a cut in the head"] = { { "HTTP/1.1 200 OK\r\nConte", "close" }, "EOF",
      "the server has ended the answer too early" },
    ["nothing at all"] = { { "close" }, "EOF", "the server has ended the answer too early" },
    ["a body that is too short"] = { { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "close" }, "EOF",
      "the server has ended the answer too early" },
    ["a chunk that is too short"] = { { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "close" },
      "EOF", "the server has ended the answer too early" },
    ["no last chunk"] = { { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "close" }, "EOF",
      "the server has ended the answer too early" },
    ["a chunk that is too long"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
      "EPROTO", "a chunk of the body is malformed" },
    ["a malformed size"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", "EPROTO",
      "a chunk of the body is malformed" },
    ["a huge size"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc", "EPROTO",
      "a chunk of the body is malformed" },
    ["endless trailers"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" .. ("A: b\r\n"):rep(9000),
      "EPROTO", "the trailers of the body are too long" },
  }
  it("refuses an answer that is none", luvd.test(function(t)
    local answers = {}
    for name, case in pairs(wrong) do answers["/" .. name:gsub("[ /]", "_")] = case[1] end
    local upstream = serve(t, answers)
    local ask, d = client(t, upstream)
    for name, case in pairs(wrong) do
      local result = ask("/" .. name:gsub("[ /]", "_"))
      assert.same({ case[2], case[3] }, { result.code, result.message }, name)
      assert.is_nil(result.body, name)
    end
    d:stop()
  end))

  it("waits no longer than it was told, however the server trickles", luvd.test(function(t)
    local upstream = serve(t, {
      ["/silent"] = {},
      ["/head"] = "HTTP/1.1 200 OK\r\n",
      ["/body"] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
      ["/trickle"] = { "HTTP/1.1 200 OK\r\n\r\n", function(socket)
        local timer = uv.new_timer()
        timer:start(0, 20, function()
          if socket:is_closing() then timer:close() else socket:write "x" end
        end)
      end },
    })
    local ask, d = client(t, upstream)
    for _, path in ipairs { "/silent", "/head", "/body", "/trickle" } do
      local result = ask(path, { timeout = "200ms" })
      assert.equal("ETIMEDOUT", result.code, path)
    end
    d:stop()
  end))

  it("reads no more than max", luvd.test(function(t)
    local upstream = serve(t, {
      ["/long"] = "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" .. ("x"):rep(1001),
      ["/endless"] = { "HTTP/1.1 200 OK\r\n\r\n", ("x"):rep(100000) },
    })
    local ask, d = client(t, upstream)
    assert.equal(1001, #ask("/long", { max = 1001 }).body)
    for _, path in ipairs { "/long", "/endless" } do
      assert.same({ "EMSGSIZE", "the body is longer than max" },
        { ask(path, { max = 1000 }).code, ask(path, { max = 1000 }).message })
    end
    d:stop()
  end))

  it("uses a connection again, unless one side says it ends or something came unasked", luvd.test(function(t)
    local upstream = serve(t, {
      ["/"] = ok,
      ["/last"] = "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
      ["/more"] = ok .. "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison",
      ["/old"] = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    })
    local ask, d = client(t, upstream)
    for _ = 1, 3 do assert.equal("ok", ask("/").body) end
    assert.equal(1, upstream.connections)
    for index, path in ipairs { "/last", "/more", "/old" } do
      assert.equal("ok", ask(path).body)
      assert.equal("ok", ask("/").body)
      assert.equal(1 + index, upstream.connections)
    end
    ask("/", { pool = false })
    assert.equal(5, upstream.connections)
    d:stop()
  end))

  it("keeps at most 8 connections to one address and 64 in all", luvd.test(function(t)
    local upstreams, urls = {}, {}
    for index = 1, 9 do -- each answers when nine requests have come
      local waiting = {}
      upstreams[index] = serve(t, { ["/"] = { function(socket)
        waiting[#waiting + 1] = socket
        if #waiting == 9 then
          for _, one in ipairs(waiting) do one:write(ok) end
        end
      end } })
      urls[index] = ("%q"):format(upstreams[index].url)
    end
    local d = t:start(t:file(([[
local http, luvd, task = require "luvd.http", require "luvd", require "luvd.task"
return { service = { start = function(daemon)
  daemon:spawn(function()
    local group <close> = task.group()
    for _, url in ipairs { %s } do
      for _ = 1, 9 do group:spawn(function() assert(assert(http.request(url)):body() == "ok") end) end
    end
    group:wait()
    luvd.log:info "all are answered"
  end)
end } }]]):format(table.concat(urls, ", "))))
    d:wait_log "all are answered"
    local function count()
      local all, most = 0, 0
      for _, upstream in ipairs(upstreams) do
        local open = 0
        for _, socket in ipairs(upstream.open) do open = open + (socket:is_closing() and 0 or 1) end
        all, most = all + open, math.max(most, open)
      end
      return all, most
    end
    loop.wait_for("the others to be closed", function() return count() == 64 end)
    assert.equal(8, select(2, count()))
    d:stop()
  end))

  it("tries once more when a kept connection is stale, but nothing that might be done twice", luvd.test(function(t)
    local stale = false
    local upstream = serve(t, { ["/"] = function() return stale and { "reset" } or ok end })
    local ask, d = client(t, upstream)
    ask "/"
    stale = true
    local refused = ask "/" -- over the kept one, then over a new one
    assert.equal("ECONNRESET", refused.code)
    assert.equal(3, #upstream.requests)
    assert.equal("ECONNRESET", ask("/").code) -- a new one at once
    assert.equal(4, #upstream.requests)
    stale = false
    ask "/"
    stale = true
    ask("/", { body = "x" })
    assert.equal(6, #upstream.requests)
    d:stop()
  end))

  it("notices that a kept connection was closed meanwhile", luvd.test(function(t)
    local upstream = serve(t, { ["/"] = { ok, "close" } })
    local ask, d = client(t, upstream)
    for _ = 1, 3 do
      assert.equal("ok", ask("/").body)
      loop.wait_for("it to be closed", function()
        return upstream.open[#upstream.open]:is_closing()
      end)
    end
    assert.equal("ok", ask("/", { body = "x" }).body)
    d:stop()
  end))

  local function move(status, location)
    return ("HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"):format(status, location)
  end

  it("follows redirects with the right method, and to the right place", luvd.test(function(t)
    local answers = { ["/a/end"] = ok }
    for _, status in ipairs { 301, 302, 303, 307, 308 } do answers["/a/" .. status] = move(status, "end?" .. status) end
    local upstream = serve(t, answers)
    local ask, d = client(t, upstream)
    for status, method in pairs { [301] = "GET", [302] = "GET", [303] = "GET", [307] = "POST", [308] = "POST" } do
      local answer = ask("/a/" .. status, { body = "text", headers = { ["Content-Type"] = "x/y" } })
      assert.same({ "ok", ("%s/a/end?%d"):format(upstream.url, status) }, { answer.body, answer.url })
      local last = upstream.requests[#upstream.requests]
      assert.matches("^" .. method .. " /a/end", last)
      assert.equal(method == "POST", last:find("x/y", 1, true) ~= nil)
      assert.equal(method == "POST", last:find("text", 1, true) ~= nil)
    end
    assert.equal("PUT", (ask("/a/301", { method = "PUT", body = "x" }) and upstream.requests[#upstream.requests])
      :match "^%u+")
    assert.equal(301, ask("/a/301", { redirects = 0 }).status)
    d:stop()
  end))

  it("ends a circle, and goes nowhere but to http", luvd.test(function(t)
    local upstream = serve(t, { ["/a"] = move(302, "/b"), ["/b"] = move(302, "/a"), ["/tls"] = move(302, "https://x/"),
      ["/file"] = move(302, "file:///etc/passwd"), ["/odd"] = move(302, "/a b") })
    local ask, d = client(t, upstream)
    local circle = ask "/a"
    assert.same({ "ELOOP", "more than 5 redirects" }, { circle.code, circle.message })
    assert.equal(6, #upstream.requests)
    assert.equal("EPROTONOSUPPORT", ask("/tls").code)
    assert.equal("EINVAL", ask("/file").code)
    assert.equal("EINVAL", ask("/odd").code)
    d:stop()
  end))

  it("tells no other origin what was meant for the first", luvd.test(function(t)
    local other = serve(t, { ["/"] = ok })
    local upstream = serve(t, { ["/away"] = move(307, other.url .. "/"), ["/here"] = move(307, "/"), ["/"] = ok })
    local ask, d = client(t, upstream)
    local headers = { Authorization = "secret", Cookie = "secret", ["X-Other"] = "fine" }
    ask("/away", { headers = headers })
    assert.is_nil(other.requests[1]:find("secret", 1, true))
    assert.matches("X%-Other: fine", other.requests[1])
    ask("/here", { headers = headers })
    assert.matches("Authorization: secret", upstream.requests[#upstream.requests])
    d:stop()
  end))

  it("says what it cannot reach, and what it does not speak", luvd.test(function(t)
    local ask, d = client(t, serve(t, {}))
    assert.equal("ECONNREFUSED", ask("http://127.0.0.1:1/").code)
    assert.same({ "https is not supported yet", "EPROTONOSUPPORT" },
      { ask("https://example.org/").message, ask("https://example.org/").code })
    assert.equal("EINVAL", ask("http://ann:secret@127.0.0.1/").code)
    assert.equal("EINVAL", ask("http://127.0.0.1:1/\r\nX: y").code)
    d:stop()
  end))

  it("streams both ways", luvd.test(function(t)
    local upstream = serve(t, { ["/"] = function(request)
      return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#request, request)
    end })
    local d = t:start(t:file(([[
local http, luvd = require "luvd.http", require "luvd"
return { service = { start = function(daemon)
  daemon:spawn(function()
    local count = 0
    local response <close> = assert(http.request("%s/", { body = function()
      count = count + 1
      return count < 4 and ("piece %%d;"):format(count) or nil
    end }))
    local text = {}
    for chunk in response:chunks() do text[#text + 1] = chunk end
    luvd.log:info(("sent %%s, failure %%s"):format(table.concat(text):match "\r\n\r\n(.*)":gsub("\r\n", "|"),
      response:failure()))
    response:close()
    luvd.log:info(select(2, pcall(http.request, "http://x/", { body = "x", json = {} })))
    luvd.log:info(select(2, pcall(http.request, "http://x/", { headers = { A = "b\r\nC: d" } })))
    luvd.log:info(select(2, pcall(http.request, "http://x/", { headers = { ["Content-Length"] = 5 } })))
    luvd.log:info(select(2, pcall(http.request, "http://x/", { tmeout = 5 })))
  end)
end } }]]):format(upstream.url)))
    d:wait_log "sent 8|piece 1;|8|piece 2;|8|piece 3;|0||, failure nil"
    d:wait_log "a request has one body: body, json or form"
    d:wait_log [[the value of header \?"A\?" has a control character]]
    d:wait_log [[header \?"Content%-Length\?" is luvd's business]]
    d:wait_log [[unknown option \?"tmeout\?"]]
    d:stop()
  end))
end)
