-- lua/luvd/keys.lua against daemon files: what luvd takes is what an editor would take.

local luvd = require "support.luvd"
local pages = require "make.pages"
local proc = require "support.proc"

local known = {}
do
  local types = pages.declared()
  types:read(proc.slurp "lua/luvd/keys.lua", "lua/luvd/keys.lua")
  for _, item in ipairs(types.items) do known[item.name] = item end
end

-- "a|b<c|d>|(e|f)[]" in its parts.
local function alternatives(text)
  local list, depth, part = {}, 0, ""
  for char in text:gmatch "." do
    depth = depth + (char:match "[<(]" and 1 or char:match "[>)]" and -1 or 0)
    if char == "|" and depth == 0 then
      list[#list + 1], part = part, ""
    else
      part = part .. char
    end
  end
  list[#list + 1] = part
  return list
end

local fits

local function fits_class(class, value)
  if type(value) ~= "table" then return false end
  local fields = {}
  for _, field in ipairs(class.fields) do fields[field.name] = field end
  for key, item in pairs(value) do
    if not fields[key] or not fits(fields[key].type.bare, item) then return false end
  end
  return true
end

local function fits_list(item_type, value)
  if type(value) ~= "table" then return false end
  for key, item in pairs(value) do
    if math.type(key) ~= "integer" or not fits(item_type, item) then return false end
  end
  return true
end

local function fits_map(item_type, value)
  if type(value) ~= "table" then return false end
  for key, item in pairs(value) do
    if type(key) ~= "string" or not fits(item_type, item) then return false end
  end
  return true
end

local function fits_one(name, value)
  local item = name:match "^(.*)%[%]$"
  if item then return fits_list(item:match "^%((.*)%)$" or item, value) end
  item = name:match "^table<string, (.*)>$"
  if item then return fits_map(item, value) end
  if name:match '^"' then return value == name:sub(2, -2) end
  if name == "false" then return value == false end
  if name == "integer" then return math.type(value) == "integer" end
  if name == "luvd.Service" then return type(value) == "table" end
  if known[name] and known[name].kind == "alias" then return fits(known[name].type.bare, value) end
  if known[name] then return fits_class(known[name], value) end
  return type(value) == name
end

function fits(text, value)
  for _, name in ipairs(alternatives(text)) do
    if fits_one(name, value) then return true end
  end
  return false
end

-- The table that a daemon file returns. What it requires is anything.
local function evaluate(text)
  local anything = setmetatable({}, { __index = function(self) return self end })
  local globals = setmetatable({ require = function() return anything end,
    host = { env = {}, hostname = "here", cpus = 2, directory = "/" } }, { __index = _G })
  return assert(load(text, "=file", "t", globals))()
end

describe("the keys for editors", function()
  local files = {}
  for _, name in ipairs(proc.names "examples") do files[#files + 1] = ("examples/%s/%s.lua"):format(name, name) end
  for _, name in ipairs(proc.names "templates") do
    local path = ("lua/templates/%s/NAME.lua"):format(name)
    if proc.slurp(path) then files[#files + 1] = path end
  end

  for _, path in ipairs(files) do
    it("take " .. path, function()
      for key, value in pairs(evaluate(proc.slurp(path))) do
        local field
        for _, one in ipairs(known["luvd.DaemonFile"].fields) do field = one.name == key and one or field end
        assert.is_table(field, key)
        assert.is_true(fits(field.type.bare, value), ("%s is no %s"):format(key, field.type.bare))
      end
    end)
  end

  -- Both have to say so: the types, and luvd check.
  local function judged(t, keys)
    local text = ("return { %s }"):format(keys:find "service =" and keys or keys .. ", service = { start = print }")
    local result = t:luvd { "check", t:file(text) }
    return fits("luvd.DaemonFile", evaluate(text)), result.code, result.err
  end

  it("take each form of a key, as luvd does", luvd.test(function(t)
    for _, keys in ipairs {
      'workers = "auto"', "workers = 4", 'listen = { a = { address = { "tcp://*:1", "unix:/x" }, backlog = 5 } }',
      'listen = { a = "udp://127.0.0.1:1", b = { address = "tcp://127.0.0.1:2", reuseport = true } }',
      'groups = { "adm", 4 }', "pidfile = false", 'log = "syslog"', 'log = { to = "/x", format = "json" }',
      'limits = { nofile = 10, core = "unlimited", memlock = "1MiB" }', 'directories = { state = true, logs = "0700" }',
      'signals = { USR2 = "service.dump", HUP = "ignore" }, service = { start = print, dump = print }',
      'restart = "never"', "restart = { final_codes = { 2 } }", "timeouts = { stop = 1.5 }",
      'environment = { keep = "TZ", set = { A = "b" } }', 'lua = { path = "lib", slice = 0 }', 'chroot = "auto"',
      "priority = { cpus = { 0 }, nice = -5 }", "service = { start = function() end }", "console = true",
    } do
      local right, code, problem = judged(t, keys)
      assert.same({ true, 0 }, { right, code }, keys .. ": " .. problem)
    end
  end))

  it("refuse what luvd refuses", luvd.test(function(t)
    for _, keys in ipairs {
      "umask = 22", "workres = 4", 'workers = "many"', "listen = { a = { adress = 1 } }", 'log = { level = "loud" }',
      'console = "yes"', 'restart = "sometimes"', "generations = 2.5", "pidfile = true",
      'files = { x = { path = "/x", mode = "rw" } }', "timeouts = { stop = true }", "sandbox = {}",
    } do
      local right, code = judged(t, keys)
      assert.same({ false, 2 }, { right, code }, keys)
    end
  end))
end)
