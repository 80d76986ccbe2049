local testing = require "luvd.testing"
local uv = require "luv"

local file = "examples/stats/stats.lua"

local function slurp(path)
  local handle <close> = assert(io.open(path, "rb"))
  return handle:read "a"
end

for _, way in ipairs { "start", "simulate" } do
  describe("stats, with testing." .. way, function()
    local stats, socket
    local function start(flush)
      stats = testing[way](file, { user = false, config = { flush = flush } })
      socket = stats:connect "stats"
    end
    local function series() return slurp(stats.folder .. "/series.file") end
    local function send(...)
      for _, datagram in ipairs { ... } do assert(socket:send(datagram)) end
    end

    it("writes the sums of what it was told, at the end too", function()
      start "1h"
      send("hits:1|c", "hits:2|c\nmisses:1.5|c", "nonsense", "size:9|g", "hits:1.2.3|c", "bytes:123456789|c")
      assert.equal(0, stats:stop().code)
      local text = series()
      assert.matches("^hits 3 %d+\n", text:match "hits[^\n]*\n")
      assert.matches("^misses 1.5 %d+\n", text:match "misses[^\n]*\n")
      assert.matches("^bytes 123456789 %d+\n", text:match "bytes[^\n]*\n")
      assert.is_nil(text:find("size", 1, true))
      assert.is_nil(stats.log:find("error", 1, true))
    end)

    it("writes every config.flush, and each sum once", function()
      start "20ms"
      local function wait(count)
        testing.eventually(function()
          if stats.clock then stats.clock:advance "20ms" end
          return select(2, series():gsub("hits 1 ", "")) == count
        end)
      end
      send "hits:1|c"
      wait(1)
      send "hits:1|c"
      wait(2)
    end)

    it("opens its file anew on USR1", function()
      start "1h"
      local path = stats.folder .. "/series.file"
      assert(uv.fs_rename(path, path .. ".1"))
      stats:signal "USR1"
      testing.eventually(function() return uv.fs_stat(path) end)
      send "hits:1|c"
      stats:stop()
      assert.matches("^hits 1 ", series())
      assert.equal("", slurp(path .. ".1"))
    end)
  end)
end

describe("stats", function()
  it("writes once in each hour of a day", function()
    local stats <close> = testing.simulate(file, { user = false, config = { flush = "1h" } })
    local socket, before = stats:connect(), stats.clock:now()
    for _ = 1, 24 do
      socket:send "hits:5|c"
      stats.clock:advance "1h"
    end
    local times = {}
    for time in slurp(stats.folder .. "/series.file"):gmatch "hits 5 (%d+)\n" do times[#times + 1] = tonumber(time) end
    assert.equal(24, #times)
    assert.equal(23 * 3600, times[24] - times[1])
    assert.equal(86400, math.floor(stats.clock:now() - before + 0.5))
  end)
end)
