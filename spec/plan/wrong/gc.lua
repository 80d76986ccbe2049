setmetatable({}, { __gc = function() end })
return {}
