-- Errors of tasks and handlers that nobody has waited for: they fail the test in which they happen.

local uv, native, script = require "uv", require "luvd.test.native", require "luvd.script"

local failures = {}
local list = {}

function failures.begin()
  script.on_failure(function(message) list[#list + 1] = message end)
end

function failures.leave()
  uv.run "nowait" -- a task that the test has started last runs now
  native.tell_failures()
  if #list == 0 then return nil end
  local text = "failed during the test:\n" .. table.concat(list, "\n")
  list = {}
  return text
end

return failures
