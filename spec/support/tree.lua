-- Folders that vanish with the test.

local proc = require "support.proc"
local uv = require "luv"

local tree = {}

--- Removes a file or folder and all below it; nothing there is nothing to do.
function tree.remove(path)
  local stat = uv.fs_lstat(path)
  if not stat then return end
  if stat.type ~= "directory" then
    uv.fs_unlink(path)
    return
  end
  for _, name in ipairs(proc.names(path)) do tree.remove(path .. "/" .. name) end
  uv.fs_rmdir(path)
end

function tree.write(path, text, mode)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
  if mode then assert(uv.fs_chmod(path, mode)) end
  return path
end

function tree.copy(from, to)
  local text = proc.slurp(from) or error("cannot read " .. from)
  return tree.write(to, text)
end

--- Copies the plain files of a folder into a fresh one.
function tree.copy_folder(from, to)
  assert(uv.fs_mkdir(to, tonumber("755", 8)))
  for _, name in ipairs(proc.names(from)) do tree.copy_any(from .. "/" .. name, to .. "/" .. name) end
  return to
end

--- A file, or a folder with all that is in it.
function tree.copy_any(from, to)
  local kind = uv.fs_stat(from).type
  if kind == "directory" then return tree.copy_folder(from, to) end
  if kind == "file" then return tree.copy(from, to) end
end

function tree.exists(path)
  return uv.fs_lstat(path) ~= nil
end

return tree
