-- The helper of busted: a test fails that leaves something behind, in which a task fails, or that takes too long. For
-- `busted --lua=luvd-lua --helper=luvd.test.helper`; `luvd test` has it by itself.

local luvd, suite = require "luvd", require "luvd.test.suite"

local TIME_LIMIT = 30 -- seconds

local helper = {}

-- LUVD_TEST_LEAKS=0 or 1 has the last word.
local function wants_leaks(wanted)
  local environment = os.getenv "LUVD_TEST_LEAKS"
  if environment == "0" or environment == "1" then return environment == "1" end
  return wanted ~= false
end

--- The parts that options ask for: leaks (boolean, default true), time_limit (seconds, default 30).
function helper.attach(core, options)
  local state = suite.attach(core)
  if not state or state.helped then return state end
  state.helped = true
  local failures = require "luvd.test.failures" -- the last: what was left may still fail
  failures.begin()
  if wants_leaks(options.leaks) then table.insert(state.parts, (require "luvd.test.leaks")) end
  table.insert(state.parts, require "luvd.test.limit".create(options.time_limit or TIME_LIMIT))
  table.insert(state.parts, failures)
  return state
end

-- As busted's helper: `-Xhelper no-leaks`, `-Xhelper time-limit=5s`.
local function read(arguments)
  local options = {}
  for _, word in ipairs(arguments or {}) do
    local limit = word:match "^time%-limit=(.+)$"
    if limit then
      options.time_limit = luvd.duration(limit)
    elseif word == "no-leaks" then
      options.leaks = false
    else
      error("unknown option of luvd.test.helper: '" .. word .. "', there are no-leaks and time-limit=DURATION", 0)
    end
  end
  return options
end

if package.loaded.busted then helper.attach(nil, read(_G.arg)) end

return helper
