-- What the daemon does.
local luvd = require "luvd"
local service, timer = {}, nil

local runs = 0 -- lives as long as this code: until a restart, or a reload that changes the code

-- The work. It may wait (luvd.fs, luvd.http …); the next run does not begin before this one has ended, and when it
-- raises, the error is logged and the timer goes on.
---@param daemon luvd.Daemon
local function work(daemon)
  runs = runs + 1
  daemon.log:info(daemon.config.message, { runs = runs })
end

-- Ready when it returns; the first run comes one period later. At fixed times: luvd.cron("30 4 * * *", …).
---@param daemon luvd.Daemon
function service.start(daemon)
  timer = luvd.every(daemon.config.every, function() work(daemon) end)
end

-- Another config, the same code. timer:set raises for what is no duration: the reload is refused, the old config stays.
---@param daemon luvd.Daemon
function service.reload(daemon)
  timer:set(daemon.config.every)
end

-- Before the end: no run begins any more.
---@param daemon luvd.Daemon
function service.stop(daemon)
  daemon.log:info("done", { runs = runs })
end

return service
