-- Makes the manual from what the sources say of themselves:
--
--   lua5.4 docs/make.lua [FOLDER]
--
-- writes api.md (from the LuaCATS annotations of lua/luvd/types.lua and, when there are any, lua/luvd/types/*.lua) and
-- internals.md (from the comments of the headers in src) into FOLDER, docs when it is not given; without FOLDER also
-- what editors read: lua/editor, a file for each module, and lua/luvd/keys.lua, of what build/luvd says of the
-- daemon file (another build: LUVD_BUILD in the environment). It fails, and names file and line, for an annotation that
-- it does not understand and for a public name that says too little.

package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path

local facts = require "make.facts"
local keys = require "make.keys"
local pages = require "make.pages"

local program = (os.getenv "LUVD_BUILD" or "build") .. "/luvd"

local function write(folder, texts)
  for name, text in pairs(texts) do
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    assert(file:write(text))
  end
end

local function write_for_editors()
  local all = facts.ask(program)
  write("lua/editor", pages.for_editors())
  if all then
    write("lua/luvd", { ["keys.lua"] = keys(all) })
  else
    io.stderr:write(("%s cannot be run: lua/luvd/keys.lua is left as it is\n"):format(program))
  end
end

local ok, problem = pcall(function()
  write(arg[1] or "docs", pages())
  if not arg[1] then write_for_editors() end
end)
if not ok then
  io.stderr:write(problem, "\n")
  os.exit(1)
end
