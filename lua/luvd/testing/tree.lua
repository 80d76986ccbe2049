-- Temporary folders with contents, for tests.

local folder = require "luvd.testing.folder"
local luvd = require "luvd"
local scope = require "luvd.testing.scope"
local uv = require "uv"

---@class luvd.testing.Tree
local Tree = {}
Tree.__index = Tree
Tree.__name = "luvd.testing.tree"

-- A name may not lead out of the folder.
local function path_of(self, name)
  if type(name) ~= "string" then error(("expected a name, got a %s"):format(type(name)), 3) end
  if name:find "^/" or ("/" .. name .. "/"):find("/../", 1, true) then
    error(("'%s' is not below the folder"):format(name), 3)
  end
  return self.path .. "/" .. name
end

local function fill(self, contents, above)
  for name, value in pairs(contents) do
    local path = above .. name
    if type(value) == "table" then
      assert(uv.fs_mkdir(path_of(self, path), tonumber("755", 8)))
      fill(self, value, path .. "/")
    elseif type(value) == "string" then
      self:write(path, value)
    else
      error(("tree: %s: expected a text or a table, got a %s"):format(path, type(value)), 0)
    end
  end
end

function Tree:age(name, duration)
  local time = os.time() - luvd.duration(duration)
  assert(uv.fs_utime(path_of(self, name), time, time))
end

function Tree:names(name)
  local names = {}
  for index, entry in ipairs(folder.list(name and path_of(self, name) or self.path)) do
    names[index] = entry.type == "directory" and entry.name .. "/" or entry.name
  end
  return names
end

function Tree:write(name, text)
  local path = path_of(self, name)
  folder.make_above(path)
  folder.write(path, text)
  return path
end

function Tree:read(name)
  local path = path_of(self, name)
  local fd, message, code = uv.fs_open(path, "r", 0)
  if not fd then return nil, message, code end
  local parts = {}
  local bytes, problem, kind
  repeat
    bytes, problem, kind = uv.fs_read(fd, 65536, -1)
    parts[#parts + 1] = bytes
  until not bytes or bytes == ""
  uv.fs_close(fd)
  if not bytes then return nil, problem, kind end
  return table.concat(parts)
end

function Tree:close()
  scope.remove(self)
  folder.remove(self.path)
end

Tree.finish = Tree.close
Tree.__close = Tree.close
Tree.__gc = function(self) folder.remove(self.path) end

local tree = {}

--- Root's may be entered by the users of its daemons.
function tree.new(contents)
  if contents ~= nil and type(contents) ~= "table" then
    error(("tree: expected a table, got a %s"):format(type(contents)), 3)
  end
  local self = setmetatable({ path = folder.make "0755" }, Tree)
  scope.add(self)
  fill(self, contents or {}, "")
  return self
end

return tree
