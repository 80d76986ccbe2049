-- luvd.lua(3): what a service may call, from the annotations that editors read.

local roff = require "make.roff"
local signature = require "make.signature"

local function put_details(page, list, name_of)
  for _, item in ipairs(list) do
    local optional = item.optional and not item.type.optional and ", optional" or ""
    local text = item.text ~= "" and ": " .. item.text or ""
    page:item(name_of(item), ("`%s`%s%s"):format(item.type.bare, optional, text))
  end
end

local function put_function(page, class, func)
  page:put ".TP"
  local lines = signature.lines(class, func)
  for i, line in ipairs(lines) do
    if i > 1 then page:put ".TQ" end
    page:bold(line)
  end
  page:words(func.text)
  if #func.params + #func.returns == 0 then return end
  page:put ".RS"
  put_details(page, func.params, function(param) return param.name end)
  put_details(page, func.returns, function(result) return result.name and "-> " .. result.name or "->" end)
  page:put ".RE"
end

local function put_class(page, class)
  page:section(class.module or class.name)
  if class.module then page:code(("local %s = require %q"):format(class.variable:lower(), class.module)) end
  page:text(class.text)
  if #class.parents > 0 then page:text("It has all that " .. table.concat(class.parents, ", ") .. " has.") end
  put_details(page, class.fields, function(field) return field.name end)
  for _, func in ipairs(class.functions) do put_function(page, class, func) end
end

local function put_alias(page, alias)
  page:section(alias.name)
  page:text("`" .. alias.type.text .. "`")
  page:text(alias.text)
end

--- types: as make.luacats has read them.
return function(all, types, date)
  local page = roff.new { name = "luvd.lua", section = 3, about = "the Lua API of luvd", version = all.version,
    date = date }
  page:section "SYNOPSIS"
  local modules = {}
  for _, item in ipairs(types.items) do
    if item.module then modules[#modules + 1] = ("local %s = require %q"):format(item.variable:lower(), item.module) end
  end
  page:code(table.concat(modules, "\n"))
  page:section "DESCRIPTION"
  for _, text in ipairs(types.prose) do page:text(text) end
  for _, item in ipairs(types.items) do
    if item.kind == "class" then put_class(page, item) else put_alias(page, item) end
  end
  page:see { "luvd(1)", "luvd.conf(5)", "lua(1)" }
  return page:finish()
end
