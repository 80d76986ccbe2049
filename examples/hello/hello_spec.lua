local client = require "support.client"
local luvd = require "support.luvd"

describe("hello", function()
  it("answers a browser", luvd.test(function(t)
    local hello = t:start(t:example "hello", { "--set", "listen.web=tcp://127.0.0.1:0" })
    local reply = client.ask(hello:address(), "GET /you HTTP/1.1\r\nHost: x\r\n\r\n")
    assert.matches("^HTTP/1.1 200 OK\r\n", reply)
    assert.matches("\r\n\r\nhello /you\n$", reply)
    hello:stop()
  end))

  it("answers curl", luvd.test(function(t)
    local hello = t:start(t:example "hello", { "--set", "listen.web=tcp://127.0.0.1:0" })
    local url = hello:address():gsub("^tcp", "http") .. "/"
    assert.equal("hello /\n", t:command({ "/usr/bin/curl", "-sS", url }).out)
    hello:stop()
  end))

  it("runs in the foreground too", luvd.test(function(t)
    local hello = t:run(t:example "hello", { "--set", "listen.web=tcp://127.0.0.1:0" })
    assert.matches("hello /\n$", client.ask(hello:address(), "GET / HTTP/1.0\r\n\r\n"))
    hello:signal "sigint"
    hello.child:wait()
    assert.equal(0, hello.child.code)
  end))
end)
