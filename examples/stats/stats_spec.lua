local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

describe("stats", function()
  local function start(t, ...)
    return t:start(t:example "stats", { "--set", "name=" .. t.name, "--set", "user=", "--set",
      "listen.stats.address=udp://127.0.0.1:0", "--set",
      "files.series.path=" .. t.folder .. "/series", ... })
  end

  local function send(stats, ...)
    local socket = uv.new_udp()
    local port = math.tointeger(tonumber(stats:address():match ":(%d+)$"))
    for _, datagram in ipairs { ... } do assert(socket:try_send(datagram, "127.0.0.1", port)) end
    socket:close()
  end

  it("writes the sums of what it was told, at the end too", luvd.test(function(t)
    local stats = start(t, "--set", "config.flush=1h")
    send(stats, "hits:1|c", "hits:2|c\nmisses:1.5|c", "nonsense", "size:9|g", "hits:1.2.3|c", "bytes:123456789|c")
    stats:stop()
    local series = proc.slurp(t.folder .. "/series")
    assert.matches("^hits 3 %d+\n", series:match "hits[^\n]*\n")
    assert.matches("^misses 1.5 %d+\n", series:match "misses[^\n]*\n")
    assert.matches("^bytes 123456789 %d+\n", series:match "bytes[^\n]*\n")
    assert.is_nil(series:find("size", 1, true))
    assert.is_nil(stats:log():find("error", 1, true))
  end))

  it("writes every config.flush, and each sum once", luvd.test(function(t)
    local stats = start(t, "--set", "config.flush=20ms")
    send(stats, "hits:1|c")
    loop.wait_for("a line", function() return (proc.slurp(t.folder .. "/series") or "") ~= "" end)
    send(stats, "hits:1|c")
    loop.wait_for("two lines", function()
      return select(2, proc.slurp(t.folder .. "/series"):gsub("hits 1 ", "")) == 2
    end)
    stats:stop()
  end))

  it("opens its file anew on USR1", luvd.test(function(t)
    local stats = start(t, "--set", "config.flush=20ms")
    assert(uv.fs_rename(t.folder .. "/series", t.folder .. "/series.1"))
    stats:signal "sigusr1"
    loop.wait_for("the new file", function() return proc.slurp(t.folder .. "/series") end)
    send(stats, "hits:1|c")
    loop.wait_for("a line", function() return proc.slurp(t.folder .. "/series") ~= "" end)
    assert.equal("", proc.slurp(t.folder .. "/series.1"))
    stats:stop()
  end))
end)
