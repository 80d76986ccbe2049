-- The pages of the manual: a table of file name to text. Paths are relative to the top of the repository, where it is
-- run.

local api = require "make.api"
local check = require "make.check"
local editor = require "make.editor"
local headers = require "make.headers"
local luacats = require "make.luacats"

-- Sorted, so that every machine makes the same pages.
local function find(arguments)
  local list = {}
  local pipe <close> = assert(io.popen("find " .. arguments .. " 2>/dev/null | LC_ALL=C sort"))
  for path in pipe:lines() do list[#list + 1] = path end
  return list
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

--- The annotations of all files that declare types.
local function declared()
  local types = luacats.new()
  for _, path in ipairs(find "lua/luvd/types.lua lua/luvd/types -name '*.lua'") do types:read(read(path), path) end
  return types
end

local function pages()
  local types = declared()
  local problems = check(types)
  if #problems > 0 then error(table.concat(problems, "\n"), 0) end
  local texts = {}
  for _, path in ipairs(find "src -name '*.h'") do texts[#texts + 1] = { path = path, text = read(path) } end
  return { ["api.md"] = api(types), ["internals.md"] = headers(texts) }
end

--- What lua/editor holds.
local function for_editors()
  return editor(declared())
end

return setmetatable({ declared = declared, for_editors = for_editors }, { __call = pages })
