-- Makes the manual from what the sources say of themselves:
--
--   lua5.4 docs/make.lua [FOLDER]
--
-- writes api.md (from the LuaCATS annotations of lua/luvd/types.lua and, when there are any, lua/luvd/types/*.lua) and
-- internals.md (from the comments of the headers in src) into FOLDER, docs when it is not given. It fails, and names
-- file and line, for an annotation that it does not understand and for a public name that says too little. Without
-- FOLDER it also writes lua/luvd/keys.lua, of what build/luvd says of the daemon file (another build: LUVD_BUILD in
-- the environment).

package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path

local facts = require "make.facts"
local keys = require "make.keys"
local pages = require "make.pages"

local program = (os.getenv "LUVD_BUILD" or "build") .. "/luvd"

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local ok, problem = pcall(function()
  for name, text in pairs(pages()) do write((arg[1] or "docs") .. "/" .. name, text) end
  if arg[1] then return end
  local all = facts.ask(program)
  if all then
    write("lua/luvd/keys.lua", keys(all))
  else
    io.stderr:write(("%s cannot be run: lua/luvd/keys.lua is left as it is\n"):format(program))
  end
end)
if not ok then
  io.stderr:write(problem, "\n")
  os.exit(1)
end
