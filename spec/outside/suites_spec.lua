-- The suites of suites.lua say the same under lua5.4, `luvd lua` and luvd-lua.

local luvd = require "support.luvd"
local suites = require "outside.suites"
local uv = require "luv"

local WITHIN = 300000 -- milliseconds for a suite

local root = os.getenv "LUVD_OUTSIDE"

local interpreters = {
  { "/usr/bin/lua5.4" },
  { luvd.binary, "lua" },
  { luvd.binary .. "-lua" },
}

-- Those that run a suite of busted's; --ignore-lua: its own .busted may name an interpreter.
local runners = { { luvd.binary, "test" } }
for number, interpreter in ipairs(interpreters) do
  local runner = { table.unpack(interpreter) }
  table.move({ "/usr/bin/busted", "--ignore-lua" }, 1, 2, #runner + 1, runner)
  table.insert(runners, number, runner)
end

local function is_there(suite)
  return root and uv.fs_stat(("%s/%s/%s"):format(root, suite.folder, suite.needs)) ~= nil
end

-- The verdicts of a suite under an interpreter, in a fresh copy of its folder.
local function verdicts(t, suite, interpreter, number)
  local copy = ("%s/%s.%d"):format(t.folder, suite.folder, number)
  assert.equal(0, t:command({ "/bin/cp", "-r", root .. "/" .. suite.folder, copy }).code)
  local command = table.move(suite.arguments, 1, #suite.arguments, #interpreter + 1, { table.unpack(interpreter) })
  return suite.verdicts(t:spawn(command, { cwd = copy, files = copy }):wait(WITHIN))
end

-- The same as expected, at the last of its tries.
local function assert_verdicts(t, suite, expected, interpreter, number)
  local seen
  for try = 1, suite.tries or 1 do
    seen = verdicts(t, suite, interpreter, number + 10 * try)
    if table.concat(seen, "\n") == table.concat(expected, "\n") then return end
  end
  assert.same(expected, seen)
end

describe("outside of luvd,", function()
  for _, suite in ipairs(suites) do
    if is_there(suite) then
      it(suite.name .. " give what they give under lua5.4", luvd.test(function(t)
        local all = suite.busted and runners or interpreters
        local expected = verdicts(t, suite, all[1], 1)
        assert.is_true(#expected > 1)
        for number = 2, #all do
          assert_verdicts(t, suite, expected, all[number], number)
        end
      end))
    else
      pending(("%s: LUVD_OUTSIDE has no folder %s"):format(suite.name, suite.folder))
    end
  end
end)
