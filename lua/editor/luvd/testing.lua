---@meta luvd.testing

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.testing
local testing = {}

return testing
