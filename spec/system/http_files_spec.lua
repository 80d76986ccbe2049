-- Files over HTTP: answers { file = path }, and folders that a router mounts.

local client = require "support.client"
local http = require "support.http"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

local text = [[
local http = require "luvd.http"
return {
  listen = { web = "tcp://127.0.0.1:0" },
  config = { folder = "" },
  service = { start = function(daemon)
    local folder = daemon.config.folder
    local r = http.router()
    r:mount("/files", folder .. "/www", { headers = { ["Cache-Control"] = "no-cache" } })
    r:mount("/bare/", folder .. "/www", { index = false })
    r:get("/one", function() return { file = folder .. "/one.txt" } end)
    r:get("/gone", function() return { file = folder .. "/gone", status = 203 } end)
    r:get("/lost", function() return { status = 404, file = "lost.html", folder = folder .. "/www" } end)
    r:get("/wrong", function() return { file = folder .. "/one.txt", headers = { ETag = "x" } } end)
    r:get("/nul", function() return { file = "a\0b" } end)
    http.serve(daemon.listeners.web, r)
  end },
}]]

local function start(t, files)
  for name, bytes in pairs(files) do
    local path = t.folder
    for part in name:gmatch "([^/]+)/" do
      path = path .. "/" .. part
      uv.fs_mkdir(path, tonumber("755", 8))
    end
    tree.write(t.folder .. "/" .. name, bytes)
  end
  local d = t:start(t:file(text), { "--set", "config.folder=" .. t.folder })
  local address = d:address()
  return function(line, ...) return http.ask(address, line, ...) end, d
end

local page = "<p>page</p>\n"

describe("a file", function()
  it("is answered with its type, length, time and tag", luvd.test(function(t)
    local ask, d = start(t, { ["one.txt"] = "one\n" })
    local answer = ask "GET /one"
    assert.same({ 200, "one\n", "4", "text/plain; charset=utf-8", "bytes" }, { answer.status, answer.body,
      answer.headers["content-length"], answer.headers["content-type"], answer.headers["accept-ranges"] })
    assert.matches('^W/"%x+%-%x+"$', answer.headers.etag)
    assert.matches("^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$", answer.headers["last-modified"])
    local head = ask "HEAD /one"
    assert.same({ 200, "", "4", answer.headers.etag },
      { head.status, head.body, head.headers["content-length"], head.headers.etag })
    d:stop()
  end))

  it("that the client has already is not sent again", luvd.test(function(t)
    local ask, d = start(t, { ["one.txt"] = "one\n" })
    local first = ask "GET /one"
    for _, field in ipairs { "If-None-Match: " .. first.headers.etag,
      "If-Modified-Since: " .. first.headers["last-modified"] } do
      local again = ask("GET /one", { field })
      assert.same({ 304, "", first.headers.etag }, { again.status, again.body, again.headers.etag })
    end
    tree.write(t.folder .. "/one.txt", "three\n")
    assert.equal("three\n", ask("GET /one", { "If-None-Match: " .. first.headers.etag }).body)
    d:stop()
  end))

  it("is sent in parts", luvd.test(function(t)
    local ask, d = start(t, { ["one.txt"] = "0123456789" })
    local part = ask("GET /one", { "Range: bytes=2-4" })
    assert.same({ 206, "234", "bytes 2-4/10", "3" },
      { part.status, part.body, part.headers["content-range"], part.headers["content-length"] })
    assert.equal("89", ask("GET /one", { "Range: bytes=-2" }).body)
    local beyond = ask("GET /one", { "Range: bytes=10-" })
    assert.same({ 416, "", "bytes */10" }, { beyond.status, beyond.body, beyond.headers["content-range"] })
    assert.equal(200, ask("GET /one", { "Range: bytes=0-1,3-4" }).status)
    assert.equal(200, ask("HEAD /one", { "Range: bytes=0-1" }).status)
    assert.equal(200, ask("GET /one", { "Range: bytes=0-1", "If-Range: \"other\"" }).status)
    d:stop()
  end))

  it("of many blocks arrives whole, and a part of it from the middle", luvd.test(function(t)
    local block = {}
    for i = 1, 65536 do block[i] = ("%07d\n"):format(i) end
    local bytes = table.concat(block)
    local ask, d = start(t, { ["one.txt"] = bytes })
    assert.is_true(ask("GET /one").body == bytes)
    assert.is_true(ask("GET /one", { "Range: bytes=70000-300000" }).body == bytes:sub(70001, 300001))
    local out = t.folder .. "/curl"
    t:command { "/usr/bin/curl", "-sS", "-o", out, "-C", "100", (d:address():gsub("^tcp", "http")) .. "/one" }
    assert.is_true(proc.slurp(out):sub(-524188) == bytes:sub(-524188))
    d:stop()
  end))

  it("that is missing is 404, whatever status was meant", luvd.test(function(t)
    local ask, d = start(t, { ["www/lost.html"] = "lost\n" })
    assert.equal(404, ask("GET /gone").status)
    local lost = ask("GET /lost", { "If-None-Match: *", "Range: bytes=0-0" })
    assert.same({ 404, "lost\n" }, { lost.status, lost.body })
    d:stop()
  end))

  it("keeps its own fields, and its name has no NUL", luvd.test(function(t)
    local ask, d = start(t, { ["one.txt"] = "x" })
    assert.equal(500, ask("GET /wrong").status)
    d:wait_log [[header \?"ETag\?" of a file is luvd's business]]
    assert.equal(500, ask("GET /nul").status)
    d:wait_log "file of an answer has a NUL byte"
    d:stop()
  end))

  it("that becomes shorter while it is sent breaks the connection", luvd.test(function(t)
    local _, d = start(t, { ["one.txt"] = "" })
    local size = 64 * 1024 * 1024
    local fd = assert(uv.fs_open(t.folder .. "/one.txt", "r+", 0))
    assert(uv.fs_ftruncate(fd, size))
    local conn = client.connect(d:address())
    conn:write "GET /one HTTP/1.1\r\nHost: x\r\n\r\n"
    loop.wait_for("the head", function() return conn.received:find("\r\n\r\n", 1, true) end)
    assert.equal(tostring(size), conn.received:match "Content%-Length: (%d+)")
    assert(uv.fs_ftruncate(fd, 1))
    uv.fs_close(fd)
    assert.is_true(#conn:read_all() < size)
    conn:close()
    d:wait_log "one%.txt has become shorter while it was sent"
    d:stop()
  end))

  it("waits for a client that reads slowly, in little memory", luvd.test(function(t)
    local _, d = start(t, { ["one.txt"] = "" })
    local fd = assert(uv.fs_open(t.folder .. "/one.txt", "r+", 0))
    assert(uv.fs_ftruncate(fd, 64 * 1024 * 1024))
    uv.fs_close(fd)
    local slow = {}
    for i = 1, 8 do
      slow[i] = client.connect(d:address())
      slow[i]:write "GET /one HTTP/1.1\r\nHost: x\r\n\r\n"
      loop.wait_for("the head", function() return slow[i].received ~= "" end)
      slow[i].socket:read_stop()
    end
    assert.equal(200, http.ask(d:address(), "HEAD /one").status)
    if not luvd.sanitized then assert.is_true(proc.resident(d:worker()) < 16 * 1024) end
    for _, conn in ipairs(slow) do conn:close() end
    d:stop()
  end))

  it("is let go when its client goes away", luvd.test(function(t)
    local _, d = start(t, { ["one.txt"] = "" })
    local fd = assert(uv.fs_open(t.folder .. "/one.txt", "r+", 0))
    assert(uv.fs_ftruncate(fd, 64 * 1024 * 1024))
    uv.fs_close(fd)
    local worker = d:worker()
    local function held()
      for _, path in pairs(proc.descriptors(worker)) do
        if path:find("one.txt", 1, true) then return true end
      end
    end
    local conn = client.connect(d:address())
    conn:write "GET /one HTTP/1.1\r\nHost: x\r\n\r\n"
    loop.wait_for("the head", function() return conn.received ~= "" end)
    conn.socket:read_stop()
    if luvd.root then assert.is_true(held()) end
    conn:close()
    loop.wait_for("the file to be closed", function() return not held() end)
    d:stop()
  end))
end)

describe("a folder", function()
  it("gives its files, and index.html for itself", luvd.test(function(t)
    local ask, d = start(t, { ["www/index.html"] = page, ["www/a b/index.html"] = "sub\n", ["www/x.css"] = "p {}\n" })
    assert.equal(page, ask("GET /files/").body)
    assert.equal("sub\n", ask("GET /files/a%20b/").body)
    local css = ask "GET /files/x.css"
    assert.same({ "p {}\n", "text/css; charset=utf-8", "no-cache" },
      { css.body, css.headers["content-type"], css.headers["cache-control"] })
    assert.equal("text/html; charset=utf-8", ask("GET /files/").headers["content-type"])
    assert.equal(404, ask("GET /bare/").status)
    assert.equal(page, ask("GET /bare/index.html").body)
    assert.equal("GET, HEAD, OPTIONS", ask("POST /files/x.css", nil, "x").headers.allow)
    d:stop()
  end))

  it("without its slash leads to it, and to no other host", luvd.test(function(t)
    local ask, d = start(t, { ["www/a b/index.html"] = "sub\n" })
    for line, location in pairs {
      ["GET /files"] = "/files/",
      ["GET /files/a%20b?x=1"] = "/files/a%20b/?x=1",
      ["GET //files//a%20b"] = "/files/a%20b/",
      ["GET /x/../files/a%20b"] = "/files/a%20b/",
    } do
      local answer = ask(line)
      assert.same({ 301, location }, { answer.status, answer.headers.location }, line)
    end
    d:stop()
  end))

  it("never gives what is not in it, hidden, or no file", luvd.test(function(t)
    local ask, d = start(t, { ["www/x"] = "x", ["www/.hidden"] = "secret", ["www/.git/config"] = "secret",
      ["secret"] = "secret", ["outside/secret"] = "secret", ["www/sub/y"] = "y" })
    local www = t.folder .. "/www"
    assert(uv.fs_symlink("../secret", www .. "/link"))
    assert(uv.fs_symlink("../outside", www .. "/folder"))
    assert(uv.fs_symlink("/etc/passwd", www .. "/absolute"))
    assert.equal(0, t:command({ "/usr/bin/mkfifo", www .. "/fifo" }).code)
    for line, status in pairs {
      ["GET /files/../secret"] = 404,
      ["GET /files/%2e%2e/secret"] = 404,
      ["GET /files/..%2fsecret"] = 400,
      ["GET /files/sub/..%2f..%2fsecret"] = 400,
      ["GET /files/%00"] = 400,
      ["GET /../../etc/passwd"] = 400,
      ["GET /files/link"] = 404,
      ["GET /files/folder/secret"] = 404,
      ["GET /files/absolute"] = 404,
      ["GET /files/.hidden"] = 404,
      ["GET /files/.git/config"] = 404,
      ["GET /files/x/"] = 404,
      ["GET /files/x/y"] = 404,
      ["GET /files/fifo"] = 403,
      ["GET /files/" .. ("n"):rep(300)] = 404,
      ["GET /files/sub/../x"] = 200,
    } do
      local answer = ask(line)
      assert.equal(status, answer.status, line)
      assert.is_nil(answer.body:find("secret", 1, true), line)
    end
    d:stop()
  end))

  it("says 403 for what may not be read", luvd.root_test(function(t)
    t:unprivileged()
    local ask, d = start(t, { ["www/closed"] = "x" })
    assert(uv.fs_chmod(t.folder .. "/www/closed", 0))
    assert.equal(403, ask("GET /files/closed").status)
    d:stop()
  end, "the file belongs to another user"))
end)
