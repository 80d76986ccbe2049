---@meta luvd.fs

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.Fs
local fs = {}

return fs
