-- Daemon files that many specs need.

local services = {}

local function file(before, keys, start, after)
  return ([[
local luvd, net = require "luvd", require "luvd.net"
%s
return {
  %s
  service = {
    start = function(daemon)
      %s
    end,
    %s
  },
}
]]):format(before, keys, start, after)
end

local listen = [[listen = { web = "tcp://127.0.0.1:0" },]]
local echo = [[net.serve(daemon.listeners.web, function(conn)
        for line in conn:lines() do conn:write(line .. "\n") end
      end)]]

--- Echoes lines on a tcp port that the kernel chooses. keys: more lines of the daemon file.
function services.echo(keys)
  return file("", listen .. "\n  " .. (keys or ""), echo, "")
end

--- Echoes lines at an address.
function services.echo_at(address, keys)
  return file("", ("listen = { web = %q },\n  %s"):format(address, keys or ""), echo, "")
end

--- Does what start says, a piece of Lua; listens nowhere.
function services.start(start, keys, after)
  return file("", keys or "", start, after or "")
end

--- Evaluates each line it gets as an expression and answers with tostring of it: for what only the service itself can
--- see.
function services.eval(keys)
  return file("", listen .. "\n  " .. (keys or ""), [[net.serve(daemon.listeners.web, function(conn)
        for line in conn:lines() do
          local chunk, problem = load("local daemon, luvd, net = ... return " .. line)
          local ok, answer = pcall(chunk or error, chunk and daemon or problem, luvd, net)
          conn:write(tostring(answer):gsub("\n", " ") .. (ok and "" or " (raised)") .. "\n")
        end
      end)]], "")
end

return services
