---@meta luvd.resp

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.Resp
local resp = {}

return resp
