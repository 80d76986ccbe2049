---@meta luvd.log

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.Log
local log = {}

return log
