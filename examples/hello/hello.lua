local http = require "luvd.http"

return {
  listen = { web = "tcp://127.0.0.1:8080" },
  service = {
    start = function(daemon)
      http.serve(daemon.listeners.web, function(request) return "hello " .. request.path .. "\n" end)
    end,
  },
}
