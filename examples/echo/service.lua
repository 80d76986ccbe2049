local luvd = require "luvd"
local net = require "luvd.net"

local service = {}

local function echo(conn, banner)
  conn:write(banner .. "\n")
  for chunk in conn:chunks() do
    if not conn:write(chunk) then return end -- waits while the peer reads too slowly
  end
end

function service.start(daemon)
  net.serve(daemon.listeners.echo, function(conn) echo(conn, daemon.config.banner) end)
end

function service.reload(daemon, change)
  if daemon.config.banner == "" then return nil, "config.banner must not be empty" end -- refused
  luvd.log:info("banner changed", { from = change.config.banner, to = daemon.config.banner })
end

return service
