-- http.router, asked from outside.

local http = require "support.http"
local luvd = require "support.luvd"

-- A daemon whose router r is filled by a text.
local function service(text)
  return ([[
local luvd, http = require "luvd", require "luvd.http"
local function says(...) -- a handler that answers with its name and its parameters
  local name = ...
  return function(request)
    local list = {}
    for key, value in pairs(request.params) do list[#list + 1] = key .. "=" .. value end
    table.sort(list)
    return name .. " " .. table.concat(list, " ") .. "\n"
  end
end
return {
  listen = { web = "tcp://127.0.0.1:0" },
  service = { start = function(daemon)
    local r = http.router()
    %s
    http.serve(daemon.listeners.web, r)
  end },
}]]):format(text)
end

local function start(t, text)
  local d = t:start(t:file(service(text)))
  local address = d:address()
  return function(line, ...) return http.ask(address, line, ...) end, d
end

-- What the bodies of these requests are.
local function assert_says(ask, expected)
  for line, body in pairs(expected) do assert.equal(body .. "\n", ask(line).body, line) end
end

describe("a router", function()
  it("finds the most specific pattern, whichever came first", luvd.test(function(t)
    local ask, d = start(t, [[
      r:get("/*rest", says "rest")
      r:get("/:one", says "one")
      r:get("/users/:id", says "user")
      r:get("/users/me", says "me")
      r:get("/users/:id/posts", says "posts")
      r:get("/users/me/*rest", says "mine")
      r:get("/", says "root")]])
    assert_says(ask, {
      ["GET /"] = "root ",
      ["GET /users"] = "one one=users",
      ["GET /users/me"] = "me ",
      ["GET /users/7"] = "user id=7",
      ["GET /users/7/posts"] = "posts id=7",
      ["GET /users/me/posts"] = "mine rest=posts",
      ["GET /users/me/"] = "mine rest=",
      ["GET /users/7/likes"] = "rest rest=users/7/likes",
      ["GET /users/"] = "rest rest=users/",
    })
    d:stop()
  end))

  it("goes back to a less specific pattern when the rest of the path, or the method, does not fit",
    luvd.test(function(t)
      local ask, d = start(t, [[
        r:get("/users/me/settings", says "settings")
        r:get("/:kind/:id/posts", says "posts")
        r:get("/users/me", says "me")
        r:delete("/users/:id", says "delete")]])
      assert_says(ask, {
        ["GET /users/me/posts"] = "posts id=me kind=users",
        ["DELETE /users/me"] = "delete id=me",
        ["GET /users/me"] = "me ",
      })
      d:stop()
    end))

  it("matches the decoded path, and a slash at its end counts", luvd.test(function(t)
    local ask, d = start(t, [[
      r:get("/café/:name", says "coffee")
      r:get("/folder/", says "folder")]])
    assert_says(ask, {
      ["GET /caf%c3%a9/a%20b"] = "coffee name=a b",
      ["GET /caf%C3%A9/./x/../black?milk=no"] = "coffee name=black",
      ["GET /folder/"] = "folder ",
    })
    assert.equal(404, ask("GET /folder").status)
    assert.equal(404, ask("GET /caf%C3%A9/x/").status)
    assert.equal(400, ask("GET /caf%C3%A9/a%2Fb").status)
    d:stop()
  end))

  it("knows which methods a path has", luvd.test(function(t)
    local ask, d = start(t, [[
      r:get("/things", says "list")
      r:post("/things", says "add")
      r:put("/:all", says "put")
      r:any("/any", says "any")]])
    local refused = ask "DELETE /things"
    assert.equal(405, refused.status)
    assert.equal("GET, HEAD, OPTIONS, POST, PUT", refused.headers.allow)
    local options = ask "OPTIONS /things"
    assert.equal(204, options.status)
    assert.equal("GET, HEAD, OPTIONS, POST, PUT", options.headers.allow)
    assert.equal(404, ask("OPTIONS /no/thing").status)
    assert_says(ask, { ["PATCH /any"] = "any ", ["OPTIONS /any"] = "any ", ["PUT /things"] = "put all=things" })
    d:stop()
  end))

  it("answers HEAD with the head of GET, unless HEAD has a handler", luvd.test(function(t)
    local ask, d = start(t, [[
      r:get("/a", says "a")
      r:get("/b", says "b")
      r:head("/b", function() return { headers = { ["X-Own"] = "yes" } } end)
      r:post("/c", says "c")]])
    local head = ask "HEAD /a"
    assert.same({ 200, "3", "" }, { head.status, head.headers["content-length"], head.body })
    assert.equal("yes", ask("HEAD /b").headers["x-own"])
    assert.equal(405, ask("HEAD /c").status)
    d:stop()
  end))

  it("mounts another one under a prefix, with the parameters of both", luvd.test(function(t)
    local ask, d = start(t, [[
      local posts = http.router()
      posts:get("/", says "posts")
      posts:get("/:post", says "post")
      r:mount("/users/:id/posts", posts)
      r:get("/users/:id/posts/new", says "new")
      r:mount("/p", posts)
      posts:get("/later/:id", says "later")]])
    assert_says(ask, {
      ["GET /users/7/posts/"] = "posts id=7",
      ["GET /users/7/posts/9"] = "post id=7 post=9",
      ["GET /users/7/posts/new"] = "new id=7",
      ["GET /users/7/posts/later/9"] = "later id=9",
      ["GET /p/9"] = "post post=9",
    })
    assert.equal(404, ask("GET /users/7/posts").status)
    assert.equal("GET, HEAD, OPTIONS", ask("POST /users/7/posts/9").headers.allow)
    d:stop()
  end))

  it("gives its handlers tasks that may wait, and errors their own place", luvd.test(function(t)
    local ask, d = start(t, [[
      r:get("/wait/:n", function(request) luvd.sleep("1ms"); return request.params.n end)
      r:get("/fail", function() error "on purpose" end)]])
    assert.equal("5", ask("GET /wait/5").body)
    assert.equal(500, ask("GET /fail").status)
    d:wait_log "on purpose"
    assert.equal("6", ask("GET /wait/6").body)
    d:stop()
  end))

  it("can be made while the service file is read", luvd.test(function(t)
    local d = t:start(t:file([[
return {
  listen = { web = "tcp://127.0.0.1:0" },
  service = "./web.lua",
}]], nil, t:file([[
local http = require "luvd.http"
local r = http.router():get("/", function() return "early" end)
return { start = function(daemon) http.serve(daemon.listeners.web, r) end }]], "web.lua")))
    assert.equal("early", http.ask(d:address(), "GET /").body)
    d:stop()
  end))

  local wrong = {
    ['r:get("users", says "x")'] = 'pattern "users" does not begin with "/"',
    ['r:get("/a//b", says "x")'] = 'pattern "/a//b" has an empty segment',
    ['r:get("/*rest/more", says "x")'] = [[pattern "/*rest/more": nothing can follow "*"]],
    ['r:get("/:", says "x")'] = "a parameter is a letter and then letters, digits or _",
    ['r:get("/:a/:a", says "x")'] = 'pattern "/:a/:a" has the parameter "a" twice',
    ['r:get("/a%20b", says "x")'] = '"%" cannot be in a pattern',
    ['r:get("/a/../b", says "x")'] = 'paths arrive without ".."',
    ['r:get("/a")'] = "GET /a: a handler is a function, got nil",
    ['r:get("/:a", says "x"):get("/:b", says "y")'] = "GET /:b conflicts with /:a of ",
    ['r:mount("/a", r)'] = "a router cannot be mounted inside itself",
    ['r:mount("/*a", "/tmp")'] = 'a prefix has no "*"',
    ['r:mount("/a", "/tmp", { indx = "x" })'] = 'unknown option "indx": there are index and headers',
    ['r:mount("/a", 5)'] = "what is mounted is a folder or a router, got number",
  }
  it("refuses what is wrong where it is registered", luvd.test(function(t)
    for text, message in pairs(wrong) do
      local result = t:failed_start(t:file(service("\n\n" .. text)))
      local told = result.err:match "[^\n]*\n" or result.err
      assert.truthy(result.err:find(message, 1, true), text .. ": " .. result.err)
      assert.truthy(told:find(t.name .. ".lua:17: ", 1, true), text .. ": " .. told)
    end
  end))
end)

describe("a daemon without a router", function()
  it("has not loaded it", luvd.test(function(t)
    local d = t:start(t:file [[
local http = require "luvd.http"
return { listen = { web = "tcp://127.0.0.1:0" }, service = { start = function(daemon)
  http.serve(daemon.listeners.web, function()
    return tostring(rawget(http, "router")) .. " " .. tostring(package.loaded["luvd.http.router"])
  end)
end } }]])
    assert.equal("nil nil", http.ask(d:address(), "GET /").body)
    d:stop()
  end))
end)
