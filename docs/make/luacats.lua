-- Reads LuaCATS annotations: the part of them that luvd's types use. What it does not understand raises with file and
-- line, so that nothing is left out of the manual in silence.
--
-- An object has prose (the description that stands alone at the top of a file) and items, in their order:
--   alias  { kind, name, type, text, at }
--   class  { kind, name, parents, text, module, variable, fields, functions, at }
--   field  { name, key, type, optional, text, at }                     key: the type of [KEY]
--   function { name, method, text, params, returns, overloads, generics, at }
-- where at is "FILE:LINE".

local expression = require "make.expression"

local luacats = {}
luacats.__index = luacats

function luacats.new()
  return setmetatable({ prose = {}, items = {}, variables = {} }, luacats)
end

local function trim(text)
  return (text:match "^%s*(.-)%s*$")
end

-- A description at the end of a line may begin with "#".
local function described(rest)
  return trim((trim(rest):gsub("^#%s*", "")))
end

function luacats:fail(problem, ...)
  error(("%s: " .. problem):format(self.at, ...), 0)
end

function luacats:type(text)
  local ok, type, rest = pcall(expression.read, text)
  if ok then return type, rest end
  if type.problem then self:fail("%s", type.problem) end
  error(type, 0)
end

-- --- the tags: what stands after "---@" ---

local tags = {}

function tags.meta(_) end

function tags:alias(rest)
  local name, after = rest:match "^([%w_%.]+)%s*(.*)$"
  if not name then self:fail "@alias wants a name and a type" end
  local alias = { kind = "alias", name = name, cases = {}, at = self.at }
  if after ~= "" then
    alias.type, after = self:type(after)
    alias.more = described(after)
  end
  self.block.alias = alias
end

-- ---| TYPE # what it means
function luacats:case(rest)
  local alias = self.block.alias
  if not alias or alias.type then self:fail "'---|' without an @alias that has no type above it" end
  local type, text = self:type(rest)
  table.insert(alias.cases, { type = type, text = described(text) })
end

-- The type of an alias that is told by cases.
function luacats:of_cases(alias)
  local texts, lines = {}, {}
  if #alias.cases == 0 then self:fail("@alias %s wants a type", alias.name) end
  for i, case in ipairs(alias.cases) do
    texts[i] = case.type.text
    lines[i] = ("- `%s`%s"):format(case.type.text, case.text ~= "" and ": " .. case.text or "")
  end
  alias.more = "\n" .. table.concat(lines, "\n")
  return (self:type(table.concat(texts, "|")))
end

function tags:class(rest)
  local name, after = rest:gsub("^%(exact%)%s*", ""):match "^([%w_%.]+)%s*(.-)$"
  if not name then self:fail "@class wants a name" end
  local inherited, parents = after:match "^:%s*([%w_%., ]+)$", {}
  if after ~= "" and not inherited then self:fail("@class %s: '%s' is not understood", name, after) end
  for parent in (inherited or ""):gmatch "[^%s,]+" do parents[#parents + 1] = parent end
  self.block.class = { kind = "class", name = name, parents = parents, fields = {}, functions = {}, at = self.at }
end

function tags:field(rest)
  local class = self.block.class or self:fail "@field without a @class above it"
  local field = { at = self.at }
  local key, after = rest:match "^%[(.-)%]%s+(.+)$"
  if key then
    field.key, field.name = self:type(key), "[" .. key .. "]"
  else
    local mark
    field.name, mark, after = rest:match "^([%w_]+)(%??)%s+(.+)$"
    if not field.name then self:fail "@field wants a name and a type" end
    field.optional = mark == "?"
  end
  field.type, rest = self:type(after)
  field.text = described(rest)
  table.insert(class.fields, field)
end

function tags:param(rest)
  local name, mark, after = rest:match "^([%w_%.]+)(%??)%s+(.+)$"
  if not name then self:fail "@param wants a name and a type" end
  local type, text = self:type(after)
  table.insert(self.block.params, { name = name, type = type, optional = mark == "?" or type.optional,
    text = described(text), at = self.at })
end

tags["return"] = function(self, rest)
  if rest:match "^%.%.%." then rest = rest:gsub("^%.%.%.%s*", "any ... ", 1) end
  local type, after = self:type(rest)
  local name, text = after:match "^%s+([%a_][%w_]*)(.*)$"
  if not name then name, text = after:match "^%s+(%.%.%.)(.*)$" end
  if not name then text = after end
  table.insert(self.block.returns, { name = name, type = type, text = described(text), at = self.at })
end

function tags:overload(rest)
  local type = self:type(rest)
  table.insert(self.block.overloads, type)
end

function tags:generic(rest)
  for name in rest:gmatch "[%a_][%w_]*" do self.block.generics[name] = true end
end

-- Nothing for a manual.
function tags.async(_) end
tags.nodiscard = tags.async

-- --- the lines ---

local function fresh()
  return { text = {}, params = {}, returns = {}, overloads = {}, generics = {} }
end

function luacats:annotation(text)
  local tag, rest = text:match "^@(%a+)%s*(.*)$"
  if tag then
    local read = tags[tag] or self:fail("'@%s' is not understood", tag)
    self.block.tagged = tag ~= "meta" or self.block.tagged
    read(self, rest)
  elseif text:match "^%s*|" then
    self:case(text:match "^%s*|%s*(.*)$")
  elseif self.block.tagged then
    self:fail "a description stands above the first tag, or on the tag's line"
  else
    table.insert(self.block.text, (text:gsub("^ ", "")))
  end
  self.block.at = self.block.at or self.at
end

-- A class or an alias is whole.
function luacats:declare()
  local block = self.block
  local item = block.class or block.alias
  if not item then return end
  if item == block.alias and not item.type then item.type = self:of_cases(item) end
  local text = table.concat(block.text, "\n")
  item.text = item.more and item.more ~= "" and trim(text .. "\n" .. item.more) or text
  item.module = item.text:match '^The module "([%w_%.]+)"'
  for _, other in ipairs(self.items) do
    if other.name == item.name then self:fail("%s is declared already, at %s", item.name, other.at) end
  end
  table.insert(self.items, item)
  self.class = block.class
  self.block = fresh()
end

-- The block ends at a line that says nothing.
function luacats:finish_block()
  self:declare()
  local block = self.block
  self.block = fresh()
  if #block.text == 0 and not block.tagged then return end
  if block.tagged or #self.items > 0 then
    error(block.at .. ": an annotation that belongs to nothing: a function, a class or an alias must follow", 0)
  end
  table.insert(self.prose, table.concat(block.text, "\n"))
end

function luacats:local_line(variable)
  self:declare()
  if not self.class then self:fail("'local %s' without a @class above it", variable) end
  self.class.variable = variable
  self.variables[variable] = self.class
end

local function names(params)
  local list = {}
  for _, param in ipairs(params) do list[#list + 1] = param.name end
  return table.concat(list, ", ")
end

function luacats:function_line(variable, mark, name, arguments)
  local class = self.variables[variable] or self:fail("'%s' is no class of this file", variable)
  local block = self.block
  if names(block.params) ~= trim(arguments) then
    self:fail("%s%s%s has the parameters (%s), and @param says (%s)", variable, mark, name, trim(arguments),
      names(block.params))
  end
  table.insert(class.functions, { name = name, method = mark == ":", text = table.concat(block.text, "\n"),
    params = block.params, returns = block.returns, overloads = block.overloads, generics = block.generics,
    at = self.at })
  self.block = fresh()
end

function luacats:line(line)
  local annotation = line:match "^%s*%-%-%-(.*)$"
  if annotation then return self:annotation(annotation) end
  if line:match "^%s*$" or line:match "^%s*%-%-" then return self:finish_block() end
  local variable = line:match "^local ([%a_][%w_]*) = {}$"
  if variable then return self:local_line(variable) end
  local owner, mark, name, arguments = line:match "^function ([%a_][%w_]*)([%.:])([%a_][%w_]*)%((.-)%) end$"
  if owner then return self:function_line(owner, mark, name, arguments) end
  if line:match "^return " then return self:finish_block() end
  self:fail("'%s' is not understood", line)
end

--- Adds the annotations of a file. Raises "FILE:LINE: problem".
function luacats:read(text, path)
  self.block, self.variables, self.class = fresh(), {}, nil
  local number = 0
  for line in (text:gsub("\n?$", "\n")):gmatch "(.-)\n" do
    number = number + 1
    self.at = ("%s:%d"):format(path, number)
    self:line(line)
  end
  self:finish_block()
  return self
end

return luacats
