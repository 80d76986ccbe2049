-- http.router: which handler answers a path.
--
-- Patterns are kept as a tree of segments. Where several match, a text goes before a parameter and a parameter before a
-- rest, segment by segment from the left; the order of registration says nothing. Patterns that are plain text are in a
-- table of their own, where one look finds them.

local router = {}
router.__index = router

local LONGEST = 1024 -- bytes of a pattern: registering and matching recurse by segment

local function node()
  return { texts = {} }
end

-- --- registration: all that is wrong raises where the service says it ---

local function raise(level, form, ...)
  error(form:format(...), level + 1)
end

local function check_name(level, pattern, name, names)
  if not name:match "^[%a_][%w_]*$" then
    raise(level + 1, "pattern %q: a parameter is a letter and then letters, digits or _, got %q", pattern, name)
  end
  for _, other in ipairs(names) do
    if other == name then raise(level + 1, "pattern %q has the parameter %q twice", pattern, name) end
  end
  names[#names + 1] = name
end

local function check_text(level, pattern, segment)
  if segment == "." or segment == ".." then
    raise(level + 1, "pattern %q: paths arrive without %q", pattern, segment)
  end
  local odd = segment:match "[%c?#%%]"
  if odd then
    raise(level + 1, "pattern %q: %q cannot be in a pattern, which is matched with the decoded path", pattern, odd)
  end
end

-- "/users/:id" is { "users", ":" }, { "id" }: all that is registered under a shape of its own.
local function parse(level, pattern)
  if type(pattern) ~= "string" then raise(level + 1, "a pattern is text, got %s", type(pattern)) end
  if pattern:sub(1, 1) ~= "/" then raise(level + 1, 'pattern %q does not begin with "/"', pattern) end
  if #pattern > LONGEST then raise(level + 1, "a pattern has at most %d bytes, got %d", LONGEST, #pattern) end
  local shape, names, at = {}, {}, 2
  repeat
    local slash = pattern:find("/", at, true)
    local segment = pattern:sub(at, (slash or 0) - 1)
    local mark = segment:sub(1, 1)
    if segment == "" and slash then raise(level + 1, "pattern %q has an empty segment", pattern) end
    if mark == "*" and slash then raise(level + 1, 'pattern %q: nothing can follow "*"', pattern) end
    if mark == ":" or mark == "*" then
      check_name(level + 1, pattern, segment:sub(2), names)
      shape[#shape + 1] = mark
    else
      check_text(level + 1, pattern, segment)
      shape[#shape + 1] = "/" .. segment
    end
    at = slash and slash + 1
  until not at
  return shape, names
end

local function descend(root, shape)
  local here = root
  for _, segment in ipairs(shape) do
    local branches, key = here, segment
    if segment:sub(1, 1) == "/" then branches, key = here.texts, segment:sub(2) end
    branches[key] = branches[key] or node()
    here = branches[key]
  end
  return here
end

local function place_of(level)
  local info = debug.getinfo(level + 1, "Sl")
  return ("%s:%d"):format(info.short_src, info.currentline)
end

local function add(self, level, method, pattern, handler, place)
  local shape, names = parse(level + 1, pattern)
  if type(handler) ~= "function" then
    raise(level + 1, "%s %s: a handler is a function, got %s", method, pattern, type(handler))
  end
  local here = descend(self.root, shape)
  here.methods = here.methods or {}
  local other = here.methods[method]
  if other then
    raise(level + 1, "%s %s conflicts with %s of %s", method, pattern, other.pattern, other.place)
  end
  here.methods[method] = { handler = handler, names = names, pattern = pattern, place = place or place_of(level + 1) }
  if #names == 0 then self.exact[pattern] = here.methods end
end

for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY" } do
  router[method:lower()] = function(self, pattern, handler)
    add(self, 2, method, pattern, handler)
    return self
  end
end

-- --- matching ---

-- The route of a node for a method: its own, GET for HEAD, then any.
local function choose(methods, method)
  return methods[method] or method == "HEAD" and methods.GET or methods.ANY
end

local function note(methods, allowed)
  for method in pairs(methods) do allowed[method] = true end
  if methods.GET then allowed.HEAD = true end
end

-- What was captured from first on, by name; params may have more of a router inside.
local function fill(names, captures, first, params)
  for index, name in ipairs(names) do
    if params[name] == nil then params[name] = captures[first + index] end
  end
  return params
end

-- One match, or one of its methods' misses. first: where the captures of this router begin.
local function arrive(here, look, first)
  local methods = here.methods
  if not methods then return end
  local route = choose(methods, look.method)
  if not route then
    look.missed = true
    if look.allowed then note(methods, look.allowed) end
    return
  end
  return route, fill(route.names, look.captures, first, {})
end

local search

-- On to the next segment, behind the slash, or to the end.
local function go_on(here, look, slash, count, first)
  if slash then return search(here, look, slash + 1, count, first) end
  return arrive(here, look, first)
end

-- The rest of the path, from at on, below a node; count captures were made on the way. Returns the route and its
-- parameters.
function search(here, look, at, count, first)
  local path, captures = look.path, look.captures
  local slash = path:find("/", at, true)
  local segment = path:sub(at, (slash or 0) - 1)
  local text, parameter, rest, mount = here.texts[segment], here[":"], here["*"], here.mount
  local route, params
  if text then
    route, params = go_on(text, look, slash, count, first)
    if route then return route, params end
  end
  if parameter and segment ~= "" then
    captures[count + 1] = segment
    route, params = go_on(parameter, look, slash, count + 1, first)
    if route then return route, params end
  end
  if mount then
    route, params = search(mount.router.root, look, at, count, count)
    if route then return route, fill(mount.names, captures, first, params) end
  end
  if rest then
    captures[count + 1] = path:sub(at)
    return arrive(rest, look, first)
  end
end

local function find(self, path, method, allowed)
  local look = { path = path, method = method, captures = {}, allowed = allowed }
  local route, params = search(self.root, look, 2, 0, 0)
  return route, params, look.missed
end

local function allow(self, path)
  local allowed, list = { OPTIONS = true }, {}
  find(self, path, "", allowed)
  for method in pairs(allowed) do list[#list + 1] = method end
  table.sort(list)
  return { Allow = table.concat(list, ", ") }
end

local function refuse(self, path, method, missed)
  if not missed then return 404, "Not Found\n" end
  if method == "OPTIONS" then return { status = 204, headers = allow(self, path) } end
  return { status = 405, headers = allow(self, path), body = "Method Not Allowed\n" }
end

--- Answers a request with the handler of its path and method: what http.serve calls.
function router:handle(request)
  local path, method = request.path, request.method
  local methods = self.exact[path]
  local route = methods and choose(methods, method)
  if route then return route.handler(request) end
  local params, missed
  route, params, missed = find(self, path, method)
  if not route then return refuse(self, path, method, missed) end
  request.params = params
  return route.handler(request)
end

-- --- mounting ---

-- "/" and "/static/" mean "" and "/static".
local function check_prefix(level, prefix)
  parse(level + 1, prefix)
  if prefix:find("*", 1, true) then raise(level + 1, 'a prefix has no "*", got %q', prefix) end
  return (prefix:gsub("/$", ""))
end

local function contains(outer, inner)
  if outer == inner then return true end
  for _, mounted in ipairs(outer.mounted) do
    if contains(mounted, inner) then return true end
  end
  return false
end

local function mount_router(self, level, prefix, other)
  if contains(other, self) then raise(level + 1, "a router cannot be mounted inside itself") end
  local shape, names = {}, {}
  if prefix ~= "" then shape, names = parse(level + 1, prefix) end
  local here = descend(self.root, shape)
  if here.mount then
    raise(level + 1, "prefix %q conflicts with the mount of %s", prefix .. "/", here.mount.place)
  end
  here.mount = { router = other, names = names, place = place_of(level + 1) }
  self.mounted[#self.mounted + 1] = other
end

local function check_options(level, options)
  if type(options) ~= "table" then raise(level + 1, "the options of mount are a table, got %s", type(options)) end
  for key in pairs(options) do
    if key ~= "index" and key ~= "headers" then
      raise(level + 1, "unknown option %q: there are index and headers", tostring(key))
    end
  end
  local index = options.index
  if index ~= nil and index ~= false and (type(index) ~= "string" or index == "" or index:find "[/%z]") then
    raise(level + 1, "option index is the name of a file, or false")
  end
  if options.headers ~= nil and type(options.headers) ~= "table" then
    raise(level + 1, "option headers is a table, got %s", type(options.headers))
  end
end

local function mount_folder(self, level, prefix, folder, options)
  local headers, index = options.headers, options.index
  if folder == "" or folder:find("\0", 1, true) then raise(level + 1, "%q is no folder", folder) end
  if index == nil then index = "index.html" end
  local place = place_of(level + 1)
  local function answer(request)
    return { file = request.params.path or "", folder = folder, index = index, headers = headers }
  end
  if prefix ~= "" then add(self, level + 1, "GET", prefix, answer, place) end
  add(self, level + 1, "GET", prefix .. "/*path", answer, place)
end

--- Answers all below a prefix from a folder, or by another router.
function router:mount(prefix, what, options)
  prefix = check_prefix(2, prefix)
  if type(what) == "string" then
    check_options(2, options or {})
    mount_folder(self, 2, prefix, what, options or {})
  elseif getmetatable(what) == router then
    if options ~= nil then raise(2, "a router is mounted without options") end
    mount_router(self, 2, prefix, what)
  else
    raise(2, "what is mounted is a folder or a router, got %s", type(what))
  end
  return self
end

return function()
  return setmetatable({ root = node(), exact = {}, mounted = {} }, router)
end
