-- The handler that looks at one header. Default limits and timeouts; only more connections than the default.
local http = require "luvd.http"

return {
  user = "root",
  listen = { web = { address = "tcp://127.0.0.1:8080", max_connections = 15000 } },
  service = { start = function(daemon)
    http.serve(daemon.listeners.web, function(request)
      local language = request.headers["accept-language"]
      return language and language:sub(1, 2) == "de" and "hallo\n" or "hello\n"
    end)
  end },
}
