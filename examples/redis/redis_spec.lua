local client = require "support.client"
local luvd = require "support.luvd"

describe("redis", function()
  local function start(t, ...)
    return t:start(t:example "redis", { "--set", "listen.redis.address=tcp://127.0.0.1:0", ... })
  end

  local function port(redis)
    return redis:address():match ":(%d+)$"
  end

  local function cli(t, redis, ...)
    local result = t:command { "/usr/bin/redis-cli", "-p", port(redis), ... }
    assert.equal(0, result.code, result.err)
    return (result.out:gsub("\n$", ""))
  end

  it("answers redis-cli", luvd.test(function(t)
    local redis = start(t)
    assert.equal("PONG", cli(t, redis, "ping"))
    assert.equal("OK", cli(t, redis, "set", "greeting", "hello world"))
    assert.equal("hello world", cli(t, redis, "get", "greeting"))
    assert.equal("hello world\n", cli(t, redis, "mget", "greeting", "nothing"))
    assert.equal("1", cli(t, redis, "incr", "n"))
    assert.equal("-4", cli(t, redis, "decrby", "n", "5"))
    assert.equal("13", cli(t, redis, "append", "greeting", "!!"))
    assert.equal("2", cli(t, redis, "dbsize"))
    assert.equal("greeting", cli(t, redis, "keys", "gr??t*"))
    assert.equal("2", cli(t, redis, "del", "greeting", "n", "nothing"))
    assert.matches("^ERR unknown command 'LPUSH'", cli(t, redis, "lpush", "l", "1"))
    assert.matches("^ERR wrong number of arguments for 'get'", cli(t, redis, "get"))
    redis:stop()
  end))

  it("knows the conditions of SET", luvd.test(function(t)
    local redis = start(t)
    assert.equal("", cli(t, redis, "set", "k", "1", "xx"))
    assert.equal("OK", cli(t, redis, "set", "k", "1", "nx"))
    assert.equal("", cli(t, redis, "set", "k", "2", "nx"))
    assert.equal("1", cli(t, redis, "set", "k", "3", "get"))
    assert.equal("3", cli(t, redis, "get", "k"))
    assert.matches("^ERR syntax error", cli(t, redis, "set", "k", "1", "nx", "xx"))
    assert.matches("^ERR invalid expire time", cli(t, redis, "set", "k", "1", "ex", "0"))
    redis:stop()
  end))

  it("forgets a key when its time is over", luvd.test(function(t)
    local redis = start(t)
    cli(t, redis, "set", "k", "v", "ex", "100")
    assert.equal("100", cli(t, redis, "ttl", "k"))
    assert.equal("1", cli(t, redis, "persist", "k"))
    assert.equal("-1", cli(t, redis, "ttl", "k"))
    assert.equal("-2", cli(t, redis, "ttl", "nothing"))
    cli(t, redis, "set", "short", "v", "px", "1")
    local conn = client.connect(redis:address())
    repeat -- the sweep takes it away without anybody asking for it
      local reply = conn:write("DBSIZE\r\n"):read_line()
    until reply == ":1"
    assert.equal("", cli(t, redis, "get", "short"))
    conn:close()
    redis:stop()
  end))

  it("takes a request in any pieces, and many at once", luvd.test(function(t)
    local redis = start(t)
    local conn = client.connect(redis:address())
    local key, value = "$13\r\nk\r\nwith\r\nends\r\n", "$200\r\n" .. ("v"):rep(200) .. "\r\n"
    local request = "*3\r\n$3\r\nSET\r\n" .. key .. value .. "*2\r\n$3\r\nGET\r\n" .. key
    for i = 1, #request do conn:write(request:sub(i, i)) end
    assert.equal("+OK", conn:read_line())
    assert.equal("$200", conn:read_line())
    assert.equal(("v"):rep(200), conn:read_line())
    conn:write(("PING\r\n"):rep(5000))
    for _ = 1, 5000 do assert.equal("+PONG", conn:read_line()) end
    conn:close()
    redis:stop()
  end))

  local function read_bulk(conn)
    local length = tonumber(conn:read_line():match "^%$(%d+)$")
    return conn:read_exactly(length + 2):sub(1, -3)
  end

  it("keeps keys and values of any bytes", luvd.test(function(t)
    local redis = start(t)
    local conn = client.connect(redis:address())
    local key, value = "\0\r\n$1\xff", "\r\n\0" .. ("\xff"):rep(30)
    conn:write(("*3\r\n$3\r\nSeT\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n"):format(#key, key, #value, value))
    assert.equal("+OK", conn:read_line())
    conn:write(("*2\r\n$3\r\ngEt\r\n$%d\r\n%s\r\n"):format(#key, key))
    assert.equal(value, read_bulk(conn))
    conn:write "KEYS *\r\n"
    assert.equal("*1", conn:read_line())
    assert.equal(key, read_bulk(conn))
    conn:close()
    redis:stop()
  end))

  it("takes a value of 512 KiB and none that is longer", luvd.test(function(t)
    local redis = start(t)
    local conn = client.connect(redis:address())
    local value = ("v"):rep(524288)
    local request = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$524288\r\n" .. value .. "\r\n"
    for _ = 1, 3 do
      conn:write(request .. "GET k\r\n")
      assert.equal("+OK", conn:read_line())
      assert.equal(value, read_bulk(conn))
    end
    conn:write "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$524289\r\n"
    assert.equal("-ERR Protocol error: invalid bulk length\r\n", conn:read_all())
    conn:close()
    redis:stop()
  end))

  it("takes no request that is longer than max_request", luvd.test(function(t)
    local redis = start(t)
    local conn = client.connect(redis:address())
    local pair = "$1\r\nk\r\n$262144\r\n" .. ("v"):rep(262144) .. "\r\n"
    conn:write("*7\r\n$4\r\nMSET\r\n" .. pair:rep(3))
    assert.equal("+OK", conn:read_line())
    assert.equal("-ERR Protocol error: too big request\r\n",
      conn:write("*9\r\n$4\r\nMSET\r\n" .. pair:rep(4):sub(1, -9)):read_all())
    conn:close()
    redis:stop()
  end))

  it("answers what came before a request that is wrong, or before QUIT", luvd.test(function(t)
    local redis = start(t)
    local conn = client.connect(redis:address())
    assert.equal("+PONG\r\n-ERR Protocol error: expected '$'\r\n", conn:write("PING\r\n*1\r\nPING\r\n"):read_all())
    conn:close()
    conn = client.connect(redis:address())
    assert.equal("+PONG\r\n+OK\r\n", conn:write("PING\r\nQUIT\r\nPING\r\n"):read_all())
    conn:close()
    redis:stop()
  end))

  it("closes a connection that does not speak its protocol", luvd.test(function(t)
    local redis = start(t)
    for _, wrong in ipairs { "*1000000\r\n", "*x\r\n", "*1\r\n$-5\r\n", "*1\r\n$99999999999\r\n", "*1\r\nPING\r\n",
      "*-2\r\n", "*1\r\n$4\r\nPINGPONG", "*1 \r\n" } do
      local conn = client.connect(redis:address())
      assert.matches("^%-ERR Protocol error: [^\r\n]+\r\n$", conn:write(wrong):read_all())
      conn:close()
    end
    assert.equal("PONG", cli(t, redis, "ping"))
    redis:stop()
  end))

  it("refuses one key too many", luvd.test(function(t)
    local redis = start(t, "--set", "config.max_keys=1")
    assert.equal("OK", cli(t, redis, "set", "a", "1"))
    assert.matches("^OOM", cli(t, redis, "set", "b", "1"))
    assert.equal("OK", cli(t, redis, "set", "a", "2"))
    redis:stop()
  end))

  it("keeps its keys over a reload", luvd.test(function(t)
    local redis = start(t)
    cli(t, redis, "set", "a", "1")
    assert.equal(0, redis:reload().code)
    assert.equal("1", cli(t, redis, "get", "a"))
    redis:stop()
  end))

  it("answers redis-benchmark", luvd.test(function(t)
    local redis = start(t)
    local result = t:command { "/usr/bin/redis-benchmark", "-p", port(redis), "-t", "set,get,incr,mset", "-n", "2000",
      "-c", "50", "-P", "16", "-r", "100", "-q" }
    assert.equal(0, result.code, result.err)
    for _, name in ipairs { "SET", "GET", "INCR", "MSET" } do
      assert.matches(name .. ".-[%d.]+ requests per second", result.out)
    end
    redis:stop()
  end))
end)
