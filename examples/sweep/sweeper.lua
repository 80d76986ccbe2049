local luvd = require "luvd"
local uv = require "uv"

local service, timer = {}, nil

local function is_old(path, oldest)
  local stat = uv.fs_lstat(path)
  return stat and stat.type == "file" and stat.mtime.sec < oldest
end

local function sweep(config)
  local scan, message = uv.fs_scandir(config.folder)
  if not scan then return luvd.log:error("cannot list", { folder = config.folder, reason = message }) end
  local oldest, removed, kept = os.time() - luvd.duration(config.older_than), 0, 0
  for name in uv.fs_scandir_next, scan do
    local path = config.folder .. "/" .. name
    if is_old(path, oldest) and uv.fs_unlink(path) then
      removed = removed + 1
    else
      kept = kept + 1
    end
  end
  luvd.log:info("swept", { removed = removed, kept = kept })
end

function service.start(daemon)
  timer = luvd.every(daemon.config.every, function() sweep(daemon.config) end)
end

function service.reload(daemon)
  if luvd.duration(daemon.config.older_than) < 60 then error("older_than below one minute", 0) end -- refused
  timer:set(daemon.config.every)
end

return service
