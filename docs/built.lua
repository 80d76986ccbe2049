-- Makes what is installed beside the program from what the program says of itself:
--
--   luvd lua docs/built.lua PROGRAM FOLDER
--
-- PROGRAM is luvd. Writes the man pages and the completions of shells into FOLDER, which must be there. With
-- SOURCE_DATE_EPOCH in the environment the pages have that date. It is run at the top of the repository.

package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path

local built = require "make.built"
local facts = require "make.facts"

local ok, problem = pcall(function()
  local all = facts.ask(arg[1]) or error("cannot run " .. arg[1], 0)
  for name, text in pairs(built(all, tonumber(os.getenv "SOURCE_DATE_EPOCH"))) do
    local file <close> = assert(io.open(arg[2] .. "/" .. name, "w"))
    assert(file:write(text))
  end
end)
if not ok then
  io.stderr:write(problem, "\n")
  os.exit(1)
end
