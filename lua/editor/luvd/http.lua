---@meta luvd.http

-- Made by docs/make.lua. Nothing requires it: the module is part of luvd.

---@type luvd.Http
local http = {}

return http
