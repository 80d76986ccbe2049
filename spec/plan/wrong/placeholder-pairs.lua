local settings = require("settings")
for key in pairs(settings) do error(key) end
return {}
