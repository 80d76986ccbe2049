-- Makes what is installed beside the program from what the program says of itself:
--
--   luvd lua docs/built.lua HELP FOLDER
--
-- HELP is the output of `luvd help --json`. Writes the man pages and the completions of shells into FOLDER, which must
-- be there. With SOURCE_DATE_EPOCH in the environment the pages have that date.

package.path = (arg[0]:match "^(.*)/" or ".") .. "/?.lua;" .. package.path

local built = require "make.built"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local ok, problem = pcall(function()
  for name, text in pairs(built(read(arg[1]), tonumber(os.getenv "SOURCE_DATE_EPOCH"))) do
    local file <close> = assert(io.open(arg[2] .. "/" .. name, "w"))
    assert(file:write(text))
  end
end)
if not ok then
  io.stderr:write(problem, "\n")
  os.exit(1)
end
