-- Makes the manual from what the sources say of themselves:
--
--   lua5.4 docs/make.lua [FOLDER]
--
-- writes api.md (from the LuaCATS annotations of lua/luvd/types.lua and, when there are any, lua/luvd/types/*.lua) and
-- internals.md (from the comments of the headers in src) into FOLDER, docs when it is not given; without FOLDER also
-- lua/editor, a file for each module. It fails, and names file and line, for an annotation that it does not understand
-- and for a public name that says too little.

package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path

local pages = require "make.pages"

local function write(folder, texts)
  for name, text in pairs(texts) do
    local file <close> = assert(io.open(folder .. "/" .. name, "w"))
    assert(file:write(text))
  end
end

local ok, problem = pcall(function()
  write(arg[1] or "docs", pages())
  if not arg[1] then write("lua/editor", pages.for_editors()) end
end)
if not ok then
  io.stderr:write(problem, "\n")
  os.exit(1)
end
