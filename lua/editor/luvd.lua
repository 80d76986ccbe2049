---@meta luvd

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd
local luvd = {}

return luvd
