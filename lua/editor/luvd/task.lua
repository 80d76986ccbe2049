---@meta luvd.task

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.TaskModule
local task = {}

return task
