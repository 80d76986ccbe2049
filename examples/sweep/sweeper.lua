local luvd, fs = require "luvd", require "luvd.fs"
local service, timer = {}, nil

local function sweep(config)
  local names, message = fs.list(config.folder)
  if not names then return luvd.log:error("cannot list", { folder = config.folder, reason = message }) end
  local oldest, removed = os.time() - luvd.duration(config.older_than), 0
  for _, name in ipairs(names) do
    local path = config.folder .. "/" .. name
    local stat = fs.stat(path)
    if stat and stat.type == "file" and stat.modified < oldest and fs.remove(path) then removed = removed + 1 end
  end
  luvd.log:info("swept", { removed = removed, kept = #names - removed })
end

function service.start(daemon)
  timer = luvd.every(daemon.config.every, function() sweep(daemon.config) end)
end
function service.reload(daemon)
  if luvd.duration(daemon.config.older_than) < 60 then error("older_than below one minute", 0) end  -- refused
  timer:set(daemon.config.every)
end
return service
