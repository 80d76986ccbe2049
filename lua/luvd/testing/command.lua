-- Questions that need no daemon: what `luvd check` and `luvd plan` say.

local child = require "luvd.testing.child"
local json = require "luvd.json"
local overrides = require "luvd.testing.overrides"

local command = {}

-- Runs luvd to its end: exit code, output, error output.
local function run(arguments, file, changes)
  overrides.finish(arguments, overrides.sets(changes), file)
  local out, err = {}, {}
  local process = child.spawn(arguments, function(bytes) err[#err + 1] = bytes end,
    { out = function(bytes) out[#out + 1] = bytes end })
  process:wait_end()
  return process.code, table.concat(out), table.concat(err)
end

-- Each error begins a line with the program's name; what follows shows its place.
local function errors_of(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    local first = line:match "^luvd: (.*)"
    if first then
      list[#list + 1] = first
    elseif #list > 0 then
      list[#list] = list[#list] .. "\n" .. line
    end
  end
  return list
end

function command.check(file, changes)
  local code, _, err = run({ "check" }, file, changes)
  if code == 0 then return true end
  return nil, errors_of(err)
end

function command.plan(file, options)
  local arguments = { "plan", "--json" }
  if options.as then table.move({ "--as", options.as }, 1, 2, #arguments + 1, arguments) end
  local code, out, err = run(arguments, file, options.overrides)
  if code ~= 0 then error(("plan: %s"):format(table.concat(errors_of(err), "\n")), 0) end
  return (assert(json.decode(out)))
end

return command
