-- Temporary folders and what lies in them, without waiting: at the end of a test nothing may wait.

local uv = require "uv"

local folder = {}

local STALE = 3600 -- seconds: what a killed interpreter has left is removed then
local swept = false

-- Those of ours whose process is gone. Young ones stay: their process may live in another namespace of pids.
local function sweep(place)
  swept = true
  for _, entry in ipairs(folder.list(place)) do
    local pid = entry.name:match "^luvd_test_(%d+)_%w+$"
    local path = place .. "/" .. entry.name
    local stat = pid and uv.fs_lstat(path)
    if stat and stat.type == "directory" and stat.uid == uv.getuid() and os.time() - stat.mtime.sec > STALE
      and not uv.kill(math.tointeger(tonumber(pid)), 0) then
      folder.remove(path)
    end
  end
end

--- A new folder of this process's user below TMPDIR, else /tmp. mode: octal.
---@param mode string
---@return string path
function folder.make(mode)
  local place = os.getenv "TMPDIR" or "/tmp"
  if not swept then sweep(place) end
  local path = assert(uv.fs_mkdtemp(("%s/luvd_test_%d_XXXXXX"):format(place, math.tointeger(uv.os_getpid()))))
  path = assert(uv.fs_realpath(path))
  assert(uv.fs_chmod(path, tonumber(mode, 8)))
  return path
end

--- The names in a folder, sorted; empty when there is none.
---@param path string
---@return { name: string, type: string }[]
function folder.list(path)
  local list = {}
  local request = uv.fs_scandir(path)
  while request do
    local name, kind = uv.fs_scandir_next(request)
    if not name then break end
    list[#list + 1] = { name = name, type = kind }
  end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- Removes whatever it is; links are not followed.
---@param path string
function folder.remove(path)
  local stat = uv.fs_lstat(path)
  if not stat then return end
  if stat.type ~= "directory" then
    uv.fs_unlink(path)
    return
  end
  for _, entry in ipairs(folder.list(path)) do folder.remove(path .. "/" .. entry.name) end
  uv.fs_rmdir(path)
end

--- Writes a file through a temporary name; raises.
---@param path string
---@param text string
function folder.write(path, text)
  local new = path .. ".luvd_new"
  local fd = assert(uv.fs_open(new, "w", tonumber("644", 8)))
  local ok, message = uv.fs_write(fd, text, -1)
  uv.fs_close(fd)
  assert(ok, message)
  assert(uv.fs_rename(new, path))
end

--- Makes the folders above path.
---@param path string
function folder.make_above(path)
  local above = path:match "^(.+)/[^/]*$"
  if not above or uv.fs_stat(above) then return end
  folder.make_above(above)
  assert(uv.fs_mkdir(above, tonumber("755", 8)))
end

return folder
