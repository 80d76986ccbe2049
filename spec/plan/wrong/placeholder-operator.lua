local settings = require "settings"
local later = settings.web

return { config = { port = later.port + 1 } }
