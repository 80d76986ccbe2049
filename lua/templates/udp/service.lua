-- What the daemon does: it counts words, answers each datagram with the count so far, and logs the counts.
local luvd = require "luvd"
local net = require "luvd.net"
local service, timer = {}, nil

local counts = {} -- of each word, since the last report

---@param datagram string
---@return string answer
local function count(datagram)
  local word = datagram:match "%a+"
  if not word then return "no word\n" end
  counts[word] = (counts[word] or 0) + 1
  return ("%s %d\n"):format(word, counts[word])
end

local function report()
  if next(counts) then luvd.log:info("counted", counts) end
  counts = {}
end

-- Ready when it returns; datagrams and timers come from then on.
---@param daemon luvd.Daemon
function service.start(daemon)
  net.serve(daemon.listeners.words, function(socket)
    for datagram, peer in socket:packets() do socket:send(count(datagram), peer) end
  end)
  timer = luvd.every(daemon.config.every, report)
end

-- Another config, the same code. timer:set raises for what is no duration: the reload is refused, the old config stays.
---@param daemon luvd.Daemon
function service.reload(daemon)
  timer:set(daemon.config.every)
end

-- Before the end.
---@param daemon luvd.Daemon
function service.stop(daemon)
  daemon:drain() -- what has come is counted first
  report()
end

return service
