-- What the daemon does. Each request has a task of its own: one that waits holds nobody up.
local http = require "luvd.http"
local service = {}

local greeted = 0 -- lives as long as this code: until a restart, or a reload that changes the code

---@param daemon luvd.Daemon
local function routes(daemon)
  local router = http.router()

  router:get("/hello/:name", function(request)
    greeted = greeted + 1
    return ("%s %s\n"):format(daemon.config.greeting, request.params.name) -- text: 200 and this body
  end)

  router:get("/greeted", function()
    return { json = { count = greeted } }
  end)

  return router -- any other path is a 404
end

-- Ready when it returns; requests come from then on.
---@param daemon luvd.Daemon
function service.start(daemon)
  http.serve(daemon.listeners.web, routes(daemon))
end

-- Another config, the same code: daemon.config is new already. error(…) here refuses it, and the old one stays.
---@param daemon luvd.Daemon
---@param change luvd.Change
function service.reload(daemon, change)
  daemon.log:info("another greeting", { from = change.config.greeting, to = daemon.config.greeting })
end

-- No service.stop: requests that are being answered are waited for anyway.
return service
