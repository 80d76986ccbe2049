-- Files that are uploaded with PUT and fetched with GET, both as streams: none is ever in memory.
local luvd, fs, http, json, task =
  require "luvd", require "luvd.fs", require "luvd.http", require "luvd.json", require "luvd.task"
local files = {}
local folder, config, changed
local sizes = {}                                   -- by name

function files.open(path, get_config, on_change)
  folder, config, changed = path, get_config, on_change
  local ok, message = fs.mkdir(folder, { parents = true, mode = "0750" })
  if not ok then return nil, message end
  for _, name in ipairs(assert(fs.list(folder))) do
    local stat = fs.stat(folder .. "/" .. name)
    if name:match "^%." then                       -- an upload that a crash has cut off
      fs.remove(folder .. "/" .. name)
    elseif stat then
      sizes[name] = stat.size
    end
  end
  return true
end

function files.list()
  local list = json.array {}
  for name, size in pairs(sizes) do list[#list + 1] = { name = name, size = size } end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function count()
  local number = 0
  for _ in pairs(sizes) do number = number + 1 end
  return number
end

-- Writes the body to a file; its size, or nil, message, code.
local function receive(request, path)
  local size, file <close>, message, code = 0, fs.open(path, "x")
  if not file then return nil, message, code end
  for chunk in request:chunks() do
    local ok
    ok, message, code = file:write(chunk)
    if not ok then return nil, message, code end
    size = size + #chunk
  end
  message, code = request:failure()
  if message then return nil, message, code end
  return size
end

-- Under a name of its own until it is whole, so that nobody fetches half of it.
local function put(request)
  local name = request.params.name
  if not name:match "^%w[%w._-]*$" or #name > 100 then
    return { status = 422, json = { errors = { name = "must be letters, digits, and . _ - inside" } } }
  end
  if not sizes[name] and count() >= config().max_files then
    return { status = 507, json = { error = "there are too many files" } }
  end
  local path = ("%s/.%s"):format(folder, request.id)
  local _ <close> = task.defer(function() fs.remove(path) end)
  local size, message, code = receive(request, path)
  if not size then
    local status = code == "EMSGSIZE" and 413 or request:failure() and 400 or 507
    if status == 507 then luvd.log:error("upload failed", { name = name, reason = message }) end
    return { status = status, json = { error = message } }
  end
  local ok
  ok, message = fs.rename(path, folder .. "/" .. name)
  if not ok then error(message, 0) end
  local status = sizes[name] and 200 or 201
  sizes[name] = size
  changed()
  return { status = status, json = { name = name, size = size } }
end

function files.router()
  local r = http.router()
  r:put("/:name", put)
  r:get("/:name", function(request)                -- ranges and conditions are luvd's work
    return { file = request.params.name, folder = folder, headers = { ["Content-Disposition"] = "attachment" } }
  end)
  return r
end

return files
