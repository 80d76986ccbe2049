-- `luvd test`: busted's own runner, with the helper around its core.

local options, uv = require "luvd.test.options", require "uv"

local USAGE, FAILED = 2, 1 -- exit codes

local function fail(code, text)
  io.stderr:write("luvd: test: ", text, "\n")
  return code
end

local function find_runner()
  if package.searchpath("busted.runner", package.path) then return true end
  return fail(FAILED, "cannot find busted: install it (lua-busted in Debian, or `luarocks install busted`), "
    .. "or set LUA_PATH to where it is")
end

-- The core that the runner makes, which is the first one, gets the helper; tests of busted itself make others.
local function catch_core(attach)
  local make = require "busted.core"
  package.loaded["busted.core"] = function(...)
    package.loaded["busted.core"] = make
    local core = make(...)
    attach(core)
    return core
  end
end

-- busted calls itself after the file that calls the runner; "=" is none, then it is "busted".
local function run()
  local main = load("local runner = ... local result = runner { standalone = false } return result", "=luvd test")
  main(require "busted.runner")
  os.exit(true, true)
end

return function(...)
  local words = { ... }
  local found, rest = options.read(words)
  if not found then return fail(USAGE, rest) end
  local code = find_runner()
  if code ~= true then return code end
  if found.watch then return require "luvd.test.watch"(words) end
  _G.arg = table.move(rest, 1, #rest, 2, { [-1] = uv.exepath(), [0] = "busted", "--ignore-lua" })
  catch_core(function(core)
    require "luvd.test.helper".attach(core, found)
    if found.coverage then require "luvd.test.coverage".begin(core, found.coverage) end
  end)
  return run()
end
