-- Under load from clients that keep their connections and from others that connect for each request: reloads lose
-- nothing and leave nothing, what dies costs what it was doing and no more.

local load = require "support.load"
local loop = require "support.loop"
local luvd = require "support.luvd"

-- So many for each variant below; without it less, more of those that take less time.
local HUPS = math.tointeger(tonumber(os.getenv "LUVD_HUPS" or ""))
local BURST = 10 -- signals that nothing is awaited between
local MORE = 0.05 -- a part of what there was before

-- --- reloads ---

-- Writes the next daemon file, and the next code.
local function in_place(t, number, keys)
  load.file(t, number, keys)
  return ("%d 1\n"):format(number)
end

local function by_generation(t, number, keys)
  load.code(t, number)
  load.file(t, number, keys)
  return ("%d %d\n"):format(number, number)
end

-- Numbers from + 1 to from + count: the first half each when the one before has its verdict, the others in bursts.
-- Returns the last number and what answers say then.
local function reload(t, d, change, keys, clients, from, count)
  local last
  for number = from + 1, from + count do
    last = change(t, number, keys)
    if number - from <= count // 2 then
      load.hup(t, d)
    else
      d:signal "sighup"
      if (number - from) % BURST == 0 or number == from + count then
        loop.wait_for("the last of a burst", function() return load.newest(clients) == number end)
      end
    end
  end
  loop.wait_for("the last daemon file to be in force", function()
    local answers = load.answers(d, 20)
    return #answers == 1 and answers[1] == last
  end)
  return from + count
end

local function assert_no_more(before, after)
  assert.same(before.descriptors, after.descriptors)
  for name, count in pairs(before.resident) do
    local now = after.resident[name]
    if os.getenv "LOAD_VERBOSE" then print(name, "resident", count, now) end
    assert.is_true(luvd.sanitized or now <= count * (1 + MORE), ("%s: %d KiB, before %d"):format(name, now, count))
  end
end

local function hups(change, options, few)
  return function(t)
    local keys, count = load.keys(options), HUPS or (luvd.sanitized and few // 5 or few)
    change(t, 1, keys)
    load.code(t, 1)
    local d = t:run(load.file(t, 1, keys))
    local began = loop.now()
    -- Warm after a hundred, and after more clients than come later: malloc keeps what the worst has needed.
    local clients = load.begin(t, d, { kept = 40, fresh = 40 })
    local number = reload(t, d, change, keys, clients, 1, math.min(count, 100))
    load.assert_none_lost(clients)
    local before = load.needs(d, options.workers)
    clients = load.begin(t, d)
    reload(t, d, change, keys, clients, number, count)
    local found = load.assert_none_lost(clients)
    local after = load.needs(d, options.workers)
    if os.getenv "LOAD_VERBOSE" then
      print(("%d HUPs, %d ms, %d answers, %d repeated, %d last"):format(count, loop.now() - began, found.answers,
        found.repeated, found.last))
    end
    assert_no_more(before, after)
    d:signal "sigterm"
    d.child:wait()
    assert.equal(0, d.child.code, d.child.err)
    -- In a burst nobody but the last may find the files at rest.
    load.assert_clean(d, { "traceback", "Z warn ", "Z error " }, "change again and again while they are read")
  end
end

describe("under load, HUPs lose nothing and leave nothing,", function()
  local ways = { { "in place", in_place, 250 }, { "by generation", by_generation, 50 } }
  for _, way in ipairs(ways) do
    for _, reuseport in ipairs { false, true } do
      for _, confined in ipairs { false, true } do
        local name = ("%s, %s sockets, %s"):format(way[1], reuseport and "reuseport" or "shared",
          confined and "confined" or "plain")
        local options = { workers = 2, reuseport = reuseport, confined = confined }
        local test = confined and luvd.root_test or luvd.test
        it(name, test(hups(way[2], options, way[3])))
      end
    end
  end
end)

describe("under load, a reload that is refused", function()
  it("leaves the service as it was, for every client", luvd.test(function(t)
    local keys = load.keys { workers = 2 }
    load.code(t, 1)
    local d = t:start(load.file(t, 1, keys))
    local clients = load.begin(t, d)
    local port = d:address():match ":(%d+)$"
    local broken = {
      { "unexpected symbol", function() t:file "return {\n  workers = = 2 }" end },
      { "no longer", function() load.code(t, 2, [[error "this one is no longer wanted"]]) end },
      { "not on 2", function() load.code(t, 2, [[if daemon.worker == 2 then error "not on 2" end]]) end },
      { "listen.more", function()
        load.file(t, 1, keys:gsub("listen = {", ("listen = { more = 'tcp://127.0.0.1:%s',"):format(port)))
      end },
    }
    for round = 1, 3 do
      for _, one in ipairs(broken) do
        one[2]()
        local verdict = d:reload()
        assert.is_true(verdict.code ~= 0, one[1])
        assert.matches(one[1], verdict.err, 1, true)
        load.code(t, 1)
        load.file(t, 1, keys)
      end
      assert.same({ "1 1\n" }, load.answers(d, 10), round)
    end
    load.assert_none_lost(clients)
    d:stop()
    load.assert_clean(d)
  end))
end)
