local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"

local curl = "/usr/bin/curl"

--- A daemon whose requests are handled by this text; options are those of http.serve.
local function serving(handler, options)
  return ([[
local luvd, http = require "luvd", require "luvd.http"
return {
  listen = { web = "tcp://127.0.0.1:0" },
  timeouts = { stop = "5s" },
  service = { start = function(daemon)
    http.serve(daemon.listeners.web, function(request)
      %s
    end, { %s })
  end },
}]]):format(handler, options or "")
end

local function url(d, path)
  return (d:address():gsub("^tcp", "http")) .. (path or "/")
end

local function get(path)
  return ("GET %s HTTP/1.1\r\nHost: here\r\n\r\n"):format(path)
end

describe("an http service", function()
  local echo = [[
    if request.method == "POST" then
      return { headers = { ["Content-Type"] = request.headers["content-type"] }, body = request:body() }
    elseif request.path == "/stream" then
      local i = 0
      return { body = function() i = i + 1 luvd.sleep "1ms" return i <= 3 and "piece " .. i .. "\n" or nil end }
    elseif request.path == "/raises" then
      error "on purpose"
    end
    return request.method .. " " .. request.path .. "\n"]]

  it("answers curl, one connection for several requests", luvd.test(function(t)
    local d = t:start(t:file(serving(echo)))
    local reply = t:command { curl, "-sSv", url(d, "/one"), url(d, "/two") }
    assert.equal("GET /one\nGET /two\n", reply.out)
    assert.matches("Re%-using existing connection", reply.err)
    d:stop()
  end))

  it("answers HEAD without a body", luvd.test(function(t)
    local d = t:start(t:file(serving(echo)))
    local reply = t:command { curl, "-sSI", url(d, "/x") }
    assert.equal(0, reply.code)
    assert.matches("^HTTP/1.1 200 OK\r\n.*Content%-Length: 8\r\n\r\n$", reply.out)
    d:stop()
  end))

  it("takes bodies, with a length and in chunks", luvd.test(function(t)
    local d = t:start(t:file(serving(echo)))
    local body = ("0123456789"):rep(5000)
    local file = t:file(body, "body")
    -- More than a megabyte is refused; more than a kilobyte makes curl expect 100 Continue.
    for _, header in ipairs { "Accept: */*", "Transfer-Encoding: chunked", "Expect: 100-continue" } do
      local reply = t:command { curl, "-sS", "-H", header, "--data-binary", "@" .. file, url(d) }
      assert.is_true(reply.out == body, header)
    end
    d:stop()
  end))

  it("streams an answer in chunks, and until the end to an old client", luvd.test(function(t)
    local d = t:start(t:file(serving(echo)))
    local pieces = "piece 1\npiece 2\npiece 3\n"
    local reply = t:command { curl, "-sSi", url(d, "/stream") }
    assert.matches("Transfer%-Encoding: chunked\r\n", reply.out)
    assert.equal(pieces, reply.out:match "\r\n\r\n(.*)$")
    reply = t:command { curl, "-sSi0", url(d, "/stream") }
    assert.matches("Connection: close\r\n", reply.out)
    assert.equal(pieces, reply.out:match "\r\n\r\n(.*)$")
    d:stop()
  end))

  it("logs the traceback of a handler that raises with the request's id, and goes on", luvd.test(function(t)
    local d = t:start(t:file(serving(echo)))
    local reply = t:command { curl, "-sSi", url(d, "/raises?x=1") }
    assert.matches("^HTTP/1.1 500 Internal Server Error\r\n", reply.out)
    assert.falsy(reply.out:find "on purpose")
    d:wait_log "on purpose.*request=%x+%-1 method=GET target=\"?/raises%?x=1"
    d:wait_log "stack traceback"
    assert.equal("GET /\n", t:command({ curl, "-sS", url(d) }).out)
    d:stop()
  end))

  it("keeps an access log when asked", luvd.test(function(t)
    local d = t:start(t:file(serving(echo, "access_log = true")))
    t:command { curl, "-sS", url(d, "/seen") }
    d:wait_log("info .*request peer=tcp://127.0.0.1:%d+ request=%x+%-1 method=GET target=/seen"
      .. " status=200 bytes=10 duration_us=%d+")
    d:stop()
  end))
end)

describe("an http service that stops", function()
  it("answers the next request of a kept connection, and the one that runs", luvd.test(function(t)
    local d = t:start(t:file(serving [[
      if request.path == "/slow" then luvd.log:info "runs" luvd.sleep "300ms" end
      return request.path .. "\n"]]))
    local kept, slow = client.connect(d:address()), client.connect(d:address())
    kept:write(get "/1")
    repeat until kept:read_line() == "/1"
    slow:write(get "/slow")
    d:wait_log "runs"
    d:signal "sigterm"
    d:wait_log "stopping"
    kept:write(get "/2")
    for path, conn in pairs { ["/2"] = kept, ["/slow"] = slow } do
      local answer = conn:read_all()
      assert.matches("^HTTP/1.1 200 OK\r\n", answer)
      assert.matches("\r\nConnection: close\r\n", answer)
      assert.equal(path .. "\n", answer:match "\r\n\r\n(.*)$")
      conn:close()
    end
    d:wait_end()
  end))
end)

describe("an http service among hostile clients", function()
  it("answers the others, loses no memory and no descriptor", luvd.test(function(t)
    local d = t:start(t:file(serving([[
      page = page or ("x"):rep(8 << 20)
      return request.path == "/large" and page or "fine\n"]],
      "header_timeout = '500ms', keep_alive = '500ms', write_timeout = '500ms'")))
    local worker = d:worker()
    assert.equal("fine\n", t:command({ curl, "-sS", "-m", "5", url(d) }).out)
    local before, resident = #proc.descriptors(worker), proc.resident(worker)
    local conns = {}
    local kinds = { "GET / HTTP/1.1\r\nX: ", get "/large" .. get "/large", "\22\3\1\2\0\1",
      "GET / HTTP/1.1\nHost: x\n\n",
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nx" }
    for i = 1, 300 do
      conns[i] = client.connect(d:address())
      conns[i].socket:read_stop() -- nobody reads
      conns[i]:write(kinds[i % #kinds + 1])
    end
    for _ = 1, 5 do
      assert.equal("fine\n", t:command({ curl, "-sS", "-m", "5", url(d) }).out)
    end
    d:wait_log "a malformed request was refused"
    d:wait_log "a request came too slowly"
    d:wait_log "a client was cut off: it reads too slowly"
    for _, conn in ipairs(conns) do conn:close() end
    loop.wait_for("the end of the connections", function() return #proc.descriptors(worker) <= before end)
    local grown = proc.resident(worker) - resident
    assert.is_true(grown < 65536, grown .. " KiB more")
    local _, lines = d:log():gsub("a malformed request was refused", "")
    assert.is_true(lines <= 2, lines .. " lines for one burst")
    d:stop()
  end))
end)
