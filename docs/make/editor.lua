-- What `require` gives, for editors: they look a module up as a file, and the types of all modules stand in few files.
-- A table of file name to text; `luvd new` points editors at the folder above.

local FORM = [[
---@meta %s

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type %s
local %s = {}

return %s
]]

--- types: as make.luacats has read them.
return function(types)
  local files = {}
  for _, item in ipairs(types.items) do
    if item.module then
      local variable = item.module:match "[%w_]+$"
      files[item.module:gsub("%.", "/") .. ".lua"] = FORM:format(item.module, item.name, variable, variable)
    end
  end
  return files
end
