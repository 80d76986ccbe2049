local luvd, net, task = require "luvd", require "luvd.net", require "luvd.task"
local service, members = {}, {}        -- members: nick -> conn

local function say(text, except)
  for nick, conn in pairs(members) do
    if nick ~= except and not conn:try_write(text .. "\n") then conn:close() end   -- reads too slowly
  end
end

local function enter(conn, welcome)
  conn:write(welcome .. "\n")
  local nick = conn:read_line { timeout = "30s", max = 64 }
  if not nick or not nick:match "^%w+$" or members[nick] then return conn:write "no\n" end
  members[nick] = conn
  local leave <close> = task.defer(function() members[nick] = nil; say("- " .. nick) end)
  say("+ " .. nick)
  for line in conn:lines() do say(nick .. ": " .. line, nick) end
end

function service.start(daemon)
  net.serve(daemon.listeners.chat, function(conn) enter(conn, daemon.config.welcome) end)
end
function service.reload(daemon, change)              -- members stay
  luvd.log:info("welcome changed", { from = change.config.welcome, to = daemon.config.welcome })
end
function service.stop()
  say "! the server leaves"
  for _, conn in pairs(members) do conn:close() end  -- close() sends what is queued first
end
return service
