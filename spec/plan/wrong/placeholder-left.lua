local settings = require("settings")

return {
  config = { port = settings.port },
  service = { start = settings.start },
}
