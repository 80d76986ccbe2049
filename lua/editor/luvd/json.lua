---@meta luvd.json

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.Json
local json = {}

return json
