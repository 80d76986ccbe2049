-- What other modules want to be called for around each test of this process. The lists live in busted's core, for
-- busted loads modules anew for each file of tests, this one too.

local suite = require "luvd.test.suite"

local hooks = {}

local function add(list, fn)
  local state = suite.attach()
  if not state then return false end
  table.insert(state[list], fn)
  return true
end

---Calls fn before the body of each test, after all before_each; its error is the test's. For good.
---@param fn fun()
---@return boolean attached false: no tests run here
function hooks.before_each(fn) return add("before", fn) end

---Calls fn when a test is over, after all after_each and before it is looked for what is left. Its error fails the
---test. For good.
---@param fn fun(failed: boolean): string? # failed: so far; the text is shown when the test fails
---@return boolean attached false: no tests run here
function hooks.after_each(fn) return add("after", fn) end

return hooks
