-- What `luvd plan` prints for the examples, as root and as an ordinary user. After a change that is meant:
--
--   UPDATE_GOLDEN=1 busted spec/plan

local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"

local refresh = os.getenv "UPDATE_GOLDEN"

-- Without what differs between machines: where the repository lies.
local function plain(text)
  return (text:gsub(luvd.top:gsub("%p", "%%%0"), "/repository"))
end

local function compare(golden, text)
  if refresh then tree.write(golden, text) end
  assert.equal(proc.slurp(golden) or ("(no %s: UPDATE_GOLDEN=1 busted spec/plan makes it)"):format(golden), text)
end

describe("the plan", function()
  for _, name in ipairs(proc.names "examples") do
    it(("of %s, as root, is the one of spec/plan/examples/%s.txt"):format(name, name), luvd.test(function(t)
      local result = t:luvd({ "plan", ("examples/%s/%s.lua"):format(name, name), "--as", "root" }, { cwd = luvd.top })
      assert.same({ 0, "" }, { result.code, result.err })
      compare(("spec/plan/examples/%s.txt"):format(name), plain(result.out))
    end))
  end

  it("as JSON names the same steps", luvd.test(function(t)
    local arguments = { "plan", "examples/jail/jail.lua", "--as", "root" }
    local text = t:luvd(arguments, { cwd = luvd.top }).out
    arguments[#arguments + 1] = "--json"
    local plan = luvd.json.decode(t:luvd(arguments, { cwd = luvd.top }).out)
    assert.equal("jail", plan.name)
    local place = 1
    for _, step in ipairs(plan.steps) do
      place = assert(text:find(step.step, place, true), step.step .. " is not in the text, or not in this order")
      assert.is_string(step.does)
    end
  end))

  it("does nothing: no file is made, no port is bound", luvd.test(function(t)
    local file = t:file 'return { listen = { web = "tcp://127.0.0.1:0" }, service = { start = function() end } }'
    local before = table.concat(proc.names(t.folder), " ")
    assert.equal(0, t:luvd({ "plan", file }).code)
    assert.equal(before, table.concat(proc.names(t.folder), " "))
    t:assert_nothing_left()
  end))
end)
