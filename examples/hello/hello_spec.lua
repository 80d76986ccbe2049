local http = require "luvd.http"
local testing = require "luvd.testing"

for _, way in ipairs { "start", "simulate" } do
  describe("hello, with testing." .. way, function()
    local hello
    before_each(function() hello = testing[way] "examples/hello/hello.lua" end)

    it("answers a browser", function()
      local conn = hello:connect "web"
      conn:write "GET /you HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
      assert.equal("HTTP/1.1 200 OK", conn:read_line { timeout = "5s" })
      local last
      for line in conn:lines { timeout = "5s" } do last = line end
      assert.equal("hello /you", last)
    end)

    it("answers one request after the other", function()
      local conn = hello:connect()
      for _, path in ipairs { "/a", "/b" } do
        conn:write(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n"):format(path))
        local head = conn:read_until("\r\n\r\n", { timeout = "5s" })
        assert.matches("Content%-Length: 9", head)
        assert.equal(("hello %s\n"):format(path), conn:read_exactly(9, { timeout = "5s" }))
      end
    end)

    it("leaves nothing behind, and ends with 0", function()
      hello:connect():close()
      assert.same({}, hello:leaks())
      assert.equal(0, hello:stop().code)
    end)
  end)
end

describe("hello", function()
  it("answers a client of HTTP", function()
    local hello <close> = testing.start "examples/hello/hello.lua"
    local response = assert(http.request((hello.address.web:gsub("^tcp", "http")) .. "/there"))
    assert.equal(200, response.status)
    assert.equal("hello /there\n", response:body())
  end)
end)
