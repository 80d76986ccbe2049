-- docs/api.md: modules, classes and aliases as make.luacats has read them.

local markdown = require "make.markdown"
local signature = require "make.signature"

local called = signature.called

local page = {}
page.__index = page

function page:put(format, ...)
  table.insert(self.lines, select("#", ...) > 0 and format:format(...) or format)
end

-- --- names and where they stand ---

local function title(item)
  return item.module or item.name
end

function page:place()
  local anchor = markdown.anchors()
  for _, heading in ipairs { "The Lua API", "Modules", "Types" } do anchor(heading) end
  for _, item in ipairs(self.types.items) do
    self.links[item.name] = anchor(title(item))
    for _, func in ipairs(item.functions or {}) do
      local name = called(item, func)
      self.links[name] = self.links[name] or anchor(name)
    end
  end
end

function page:link(name, shown)
  return ("[%s](#%s)"):format(shown or name, self.links[name])
end

-- Names of types, and calls between backticks, become links; in the section of a class its own methods do too.
function page:linked(text, class)
  local function of_code(code)
    local name = code:match "^`([%a][%w_%.:]*)`$"
    if not name then return code end
    if self.links[name] then return self:link(name, code) end
    for _, func in ipairs(class and class.functions or {}) do
      if func.name == name then return self:link(called(class, func), code) end
    end
    return code
  end
  local plain = markdown.escape_tags(text)
  plain = markdown.outside_code(plain, function(part)
    return (part:gsub("%f[%w]luvd%.%u%w*", function(name) return self.links[name] and self:link(name) end))
  end)
  return (plain:gsub("`[^`\n]*`", of_code))
end

-- A type as code; the names in it that this page explains follow.
function page:type(type)
  local seen, links = {}, {}
  for _, name in ipairs(type.names) do
    if self.links[name] and not seen[name] then links[#links + 1] = self:link(name) end
    seen[name] = true
  end
  if #links == 1 and type.bare == type.names[1] then return self:link(type.names[1]) end
  local code = "`" .. type.text .. "`"
  return #links > 0 and ("%s (%s)"):format(code, table.concat(links, ", ")) or code
end

-- --- one function ---

function page:detail(class, name, optional, type, text)
  local after = text ~= "" and ": " .. self:linked(text, class) or ""
  local first = name and ("`%s` "):format(name) or ""
  self:put("- %s%s%s%s", first, self:type(type), optional and ", optional" or "", after)
end

function page:func(class, func)
  self:put("\n### %s\n", called(class, func))
  self:put("```lua\n%s", table.concat(signature.lines(class, func), "\n"))
  self:put("```\n\n%s", self:linked(func.text, class))
  if #func.params > 0 then self:put "\nParameters:\n" end
  for _, param in ipairs(func.params) do
    local type = { text = param.type.bare, bare = param.type.bare, names = param.type.names }
    self:detail(class, param.name, param.optional, type, param.text)
  end
  if #func.returns > 0 then self:put "\nResults:\n" end
  for _, result in ipairs(func.returns) do self:detail(class, result.name, false, result.type, result.text) end
end

-- --- sections ---

function page:class(class)
  self:put("\n## %s\n", title(class))
  if class.module then self:put("```lua\nlocal %s = require %q\n```\n", class.variable:lower(), class.module) end
  self:put("%s", self:linked(class.text, class))
  for _, parent in ipairs(class.parents) do self:put("\nIt has all that %s has.", self:link(parent)) end
  if #class.fields > 0 then self:put "\nFields:\n" end
  for _, field in ipairs(class.fields) do self:detail(class, field.name, field.optional, field.type, field.text) end
  if #class.functions > 0 then
    local list = {}
    for _, func in ipairs(class.functions) do
      list[#list + 1] = self:link(called(class, func), "`" .. called(class, func) .. "`")
    end
    self:put("\nFunctions: %s", table.concat(list, ", "))
  end
  for _, func in ipairs(class.functions) do self:func(class, func) end
end

function page:alias(alias)
  self:put("\n## %s\n", alias.name)
  self:put("%s\n\n%s", self:type(alias.type), self:linked(alias.text))
end

-- By name: to look something up. The sections stand in the order of the file: to be read.
function page:contents(heading, wanted)
  local list = {}
  for _, item in ipairs(self.types.items) do
    if wanted(item) then list[#list + 1] = item end
  end
  table.sort(list, function(a, b) return title(a) < title(b) end)
  self:put("\n## %s\n", heading)
  for _, item in ipairs(list) do
    local text = item.text:gsub('^The module "[%w_%.]+"[%.,:]?%s*', "")
    self:put("- %s: %s", self:link(item.name, title(item)), self:linked(markdown.first_sentence(text)))
  end
end

--- The text of the page.
return function(types)
  local self = setmetatable({ types = types, lines = {}, links = {} }, page)
  self:place()
  self:put "# The Lua API"
  self:put [[

Made by docs/make.lua from the annotations in lua/luvd, which editors read too; `./setup.sh golden` writes it anew.
[The guide](guide.md) tells how a daemon is run, [the internals](internals.md) what the C headers say.
]]
  self:put("%s", self:linked(table.concat(types.prose, "\n\n")))
  self:contents("Modules", function(item) return item.module end)
  self:contents("Types", function(item) return not item.module end)
  for _, item in ipairs(types.items) do self[item.kind](self, item) end
  return table.concat(self.lines, "\n") .. "\n"
end
