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

--- fn() is called before the body of each test, after all before_each; its error is the test's.
--- Returns whether tests run here at all.
function hooks.before_each(fn) return add("before", fn) end

--- fn(failed) is called when a test is over, after all after_each and before it is looked for what is left. failed is
--- true when the test has failed so far. A text that it returns is shown with a failure; its error fails the test.
--- Returns whether tests run here at all.
function hooks.after_each(fn) return add("after", fn) end

return hooks
