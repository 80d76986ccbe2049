-- A service that tells, to whoever connects, every public name that it can reach: what `require` gives for luvd's own
-- modules, the methods of their objects, and whether the names exist that config.names has by class or module.
--
--   module NAME KEY                 a module has it
--   methods METATABLE KEY           an object has it, by the name of its metatable
--   object CLASS KEY                the object shown for CLASS has it
--   name CLASS KEY nil|TYPE|no      what it holds; no: to ask for it raises, or there is no such object here

local luvd, fs, http = require "luvd", require "luvd.fs", require "luvd.http"
local net, task = require "luvd.net", require "luvd.task"

local service = {}
local requests, entries, sockets = task.channel(1), task.channel(1), task.channel(1)

local function keys_of(tables)
  local seen, list = {}, {}
  for _, one in ipairs(tables) do
    for key in next, one do
      if type(key) == "string" and not key:match "^_" and not seen[key] then
        seen[key] = true
        list[#list + 1] = key
      end
    end
  end
  table.sort(list)
  return list
end

-- The tables in which a metatable looks for names: __index, or what a function in its place keeps.
local function behind(meta)
  local index = meta and rawget(meta, "__index")
  if type(index) == "table" then return { index } end
  local list = {}
  for number = 1, type(index) == "function" and 255 or 0 do
    local name, value = debug.getupvalue(index, number)
    if not name then break end
    if type(value) == "table" and name ~= "_ENV" then list[#list + 1] = value end
  end
  return list
end

local function names(object)
  local tables = behind(debug.getmetatable(object))
  if type(object) == "table" then tables[#tables + 1] = object end
  return keys_of(tables)
end

local function tell(out, word, owner, list)
  for _, key in ipairs(list) do out[#out + 1] = ("%s %s %s\n"):format(word, owner, key) end
end

-- "luvd.http.pool" is a part of "luvd.http", and nobody's business; "luvd.testing" raises in a service.
local function tell_modules(out)
  for name in pairs(package.preload) do
    if name:match "^luvd%.?[^.]*$" and name ~= "luvd.testing" then
      local module = require(name)
      local kind = type(module)
      if kind == "table" or kind == "userdata" then tell(out, "module", name, names(module)) end
    end
  end
end

local function tell_metatables(out)
  for name, meta in pairs(debug.getregistry()) do
    if type(name) == "string" and name:match "^luvd%." and type(meta) == "table" then
      tell(out, "methods", name, keys_of(behind(meta)))
    end
  end
end

-- A request, what the access log is told of it, and the response: the service asks itself.
local function ask(daemon)
  local response = assert(http.request((daemon.listeners.web.address:gsub("^tcp", "http")) .. "/walk"))
  assert(response.status == 200)
  return requests:receive(), entries:receive(), response
end

-- One object of each class that can be had.
local function objects(daemon, conn)
  local request, entry, response = ask(daemon)
  return {
    ["luvd.Daemon"] = daemon,
    ["luvd.Host"] = daemon.host,
    ["luvd.Listener"] = daemon.listeners.walk,
    ["luvd.File"] = daemon.files.walk,
    ["luvd.Stat"] = daemon.files.walk:stat(),
    ["luvd.Watcher"] = fs.watch(daemon.files.walk.path, function() end),
    ["luvd.Timer"] = luvd.every("1h", function() end),
    ["luvd.Conn"] = conn,
    ["luvd.Socket"] = sockets:receive(),
    ["luvd.Task"] = task.spawn(function() end),
    ["luvd.Group"] = task.group(),
    ["luvd.Channel"] = requests,
    ["luvd.Semaphore"] = task.semaphore(1),
    ["luvd.Permit"] = task.semaphore(1):acquire(),
    ["luvd.Request"] = request,
    ["luvd.AccessEntry"] = entry,
    ["luvd.Response"] = response,
    ["luvd.Router"] = http.router(),
  }
end

local function tell_objects(out, all)
  for class, object in pairs(all) do tell(out, "object", class, names(object)) end
end

local function tell_names(out, all, wanted)
  for class, list in pairs(wanted) do
    local object = all[class]
    if object == nil and package.preload[class] then object = require(class) end
    for _, key in ipairs(list) do
      local ok, value = pcall(function() return object[key] end)
      out[#out + 1] = ("name %s %s %s\n"):format(class, key, ok and type(value) or "no")
    end
  end
end

function service.start(daemon)
  net.serve(daemon.listeners.datagrams, function(socket)
    sockets:send(socket)
    for _ in socket:packets() do luvd.log:debug "a datagram" end
  end)
  http.serve(daemon.listeners.web, function(request)
    requests:send(request)
    return "here"
  end, { access_log = function(entry) entries:try_send(entry) end })
  net.serve(daemon.listeners.walk, function(conn)
    local out, all = {}, objects(daemon, conn)
    tell_modules(out)
    tell_metatables(out)
    tell_objects(out, all)
    tell_names(out, all, daemon.config.names)
    conn:write(out)
  end)
end

return service
