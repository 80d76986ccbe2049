local http = require "luvd.http"
local testing = require "luvd.testing"

local file = "@NAME@.lua"
-- Whatever the daemon file says.
local changes = { config = { greeting = "hello" } }

describe("@NAME@", function()
  -- The real daemon, a process of its own with a free port. `<close>` ends it with the test.
  it("greets who asks", function()
    local daemon <close> = testing.start(file, changes)
    local url = daemon.address.web:gsub("^tcp:", "http:")
    local response = assert(http.request(url .. "/hello/Ann"))
    assert.equal(200, response.status)
    assert.equal("hello Ann\n", response:body())
  end)

  -- The same daemon inside this test, without process and port: quicker, and the test can turn its clock.
  it("takes another greeting and goes on counting", function()
    local daemon <close> = testing.simulate(file, changes)
    local function get(path)
      local conn <close> = daemon:connect()
      conn:write("GET " .. path .. " HTTP/1.0\r\n\r\n")
      conn:read_until "\r\n\r\n" -- the head
      return conn:read()
    end

    assert.equal("hello Ann\n", get "/hello/Ann")
    assert.is_true(daemon:reload { config = { greeting = "welcome" } })
    assert.equal("welcome Ann\n", get "/hello/Ann")
    assert.equal('{"count":2}', get "/greeted")
  end)
end)
