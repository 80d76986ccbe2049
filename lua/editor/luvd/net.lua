---@meta luvd.net

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.Net
local net = {}

return net
