local base = include "parts/base.lua"
base.service = { start = function() end }
base.limts = {}
return base
