-- The suites: where each is, how it is called, and what its output says.

---@class outside.suite
---@field name string
---@field folder string below LUVD_OUTSIDE
---@field needs string a file of it, by which it is known
---@field arguments string[] of the interpreter
---@field busted? boolean its tests are busted's: called by busted under each interpreter, and by `luvd test`
---@field tries? integer default 1: of one that now and then fails by itself
---@field verdicts fun(result: support.child): string[] what has to be the same under each interpreter

-- The exit code, and the line that tells the end.
local function whole(pattern)
  return function(result) return { tostring(result.code), result.out:match(pattern) or "no " .. pattern } end
end

-- Each test of TAP, without what a machine may say of it.
local function tap(result)
  local list = { tostring(result.code) }
  for line in result.out:gmatch "[^\n]+" do
    if line:match "^ok %d" or line:match "^not ok %d" then list[#list + 1] = line end
  end
  return list
end

---@type outside.suite[]
return {
  {
    name = "Lua's own tests", folder = "lua", needs = "all.lua",
    arguments = { "-e_U=true", "all.lua" }, verdicts = whole "final OK !!!",
  },
  {
    name = "Lua's own tests of its interpreter", folder = "lua", needs = "main.lua",
    -- It takes what comes first from a shell and from the background script that this starts for the process id.
    arguments = { "main.lua" }, verdicts = whole "OK\n$", tries = 3,
  },
  {
    name = "luv's tests", folder = "luv", needs = "tests/run.lua",
    arguments = { "tests/run.lua" }, verdicts = tap,
  },
  {
    name = "busted's specs", folder = "busted", needs = "spec/core_spec.lua", busted = true,
    arguments = { "-o", "TAP" }, verdicts = tap,
  },
  {
    name = "luassert's specs", folder = "luassert", needs = "spec/assertions_spec.lua", busted = true,
    arguments = { "-o", "TAP" }, verdicts = tap,
  },
  {
    name = "Penlight's specs", folder = "penlight", needs = "spec/app_spec.lua", busted = true,
    arguments = { "-o", "TAP" }, verdicts = tap,
  },
}
