-- What a public name must say before it may be in the manual. Returns the list of what is wrong, with file and line.

local builtin = {}
for _, name in ipairs { "nil", "boolean", "number", "integer", "string", "table", "function", "thread", "userdata",
  "lightuserdata", "any", "unknown", "true", "false", "self" } do
  builtin[name] = true
end

local function is_options(type)
  return type.text:match "Options%??$" ~= nil
end

local function has(type, ...)
  for _, used in ipairs(type.names) do
    for _, name in ipairs { ... } do
      if used == name then return true end
    end
  end
  return false
end

local check = {}
check.__index = check

function check:complain(at, problem, ...)
  table.insert(self.problems, ("%s: " .. problem):format(at, ...))
end

function check:type(at, type)
  for _, name in ipairs(type.names) do
    if not (builtin[name] or self.known[name] or self.generics[name]) then
      self:complain(at, "no such type: %s", name)
    end
  end
end

function check:optional(owner, thing)
  if thing.optional and not is_options(thing.type) and not thing.text:match "default" then
    self:complain(thing.at, "%s: '%s' is optional: say its default", owner, thing.name)
  end
end

function check:param(owner, param)
  self:type(param.at, param.type)
  self:optional(owner, param)
  if param.text == "" and has(param.type, "number", "integer") and not has(param.type, "string") then
    self:complain(param.at, "%s: '%s' is a number: say of what", owner, param.name)
  end
end

function check:result(owner, result)
  self:type(result.at, result.type)
  if result.name == "code" and result.text == "" and not result.type.text:match '^"' then
    self:complain(result.at, "%s: say which codes it may return", owner)
  end
end

function check:func(class, func)
  local owner = class.name .. "." .. func.name
  self.generics = func.generics
  if func.text == "" then self:complain(func.at, "%s has no description", owner) end
  for _, param in ipairs(func.params) do self:param(owner, param) end
  for _, result in ipairs(func.returns) do self:result(owner, result) end
  for _, overload in ipairs(func.overloads) do self:type(func.at, overload) end
  self.generics = {}
end

function check:class(class)
  if class.text == "" then self:complain(class.at, "%s has no description", class.name) end
  self:type(class.at, { names = class.parents })
  if not class.variable and (class.module or #class.functions > 0) then
    self:complain(class.at, "%s wants a variable: 'local name = {}'", class.name)
  end
  local seen = {}
  for _, field in ipairs(class.fields) do
    self:type(field.at, field.type)
    if field.key then self:type(field.at, field.key) end
    if field.text == "" then self:complain(field.at, "%s.%s has no description", class.name, field.name) end
    if class.name:match "Options$" then self:optional(class.name, field) end
  end
  for _, func in ipairs(class.functions) do self:func(class, func) end
  for _, list in ipairs { class.fields, class.functions } do
    for _, thing in ipairs(list) do
      if seen[thing.name] then self:complain(thing.at, "%s.%s is declared twice", class.name, thing.name) end
      seen[thing.name] = true
    end
  end
end

return function(types)
  local self = setmetatable({ problems = {}, known = {}, generics = {} }, check)
  for _, item in ipairs(types.items) do self.known[item.name] = true end
  for _, item in ipairs(types.items) do
    if item.kind == "class" then
      self:class(item)
    else
      self:type(item.at, item.type)
      if item.text == "" then self:complain(item.at, "%s has no description", item.name) end
    end
  end
  return self.problems
end
