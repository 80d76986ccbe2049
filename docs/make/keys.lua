-- lua/luvd/keys.lua: the daemon file's keys as LuaCATS classes, for editors.

local facts = require "make.facts"

-- The type of a kind of values, for kinds that do not say all their values themselves. CLASS: that of the table below
-- the key; ITEM: the type of a table's entries, which the row KEY.NAME has.
local types = {
  ["I/O priority"] = "string",
  ["\"user\" or \"user:group\""] = "string",
  ["address or list of addresses"] = "string|string[]",
  ["address or table"] = "string|CLASS",
  ["duration"] = "luvd.Duration",
  ["list of capabilities"] = "string|string[]",
  ["list of exit codes"] = "integer[]",
  ["list of names or numbers"] = "(string|integer)[]",
  ["list of numbers"] = "integer[]",
  ["list of paths"] = "string|string[]",
  ["list of strings"] = "string|string[]",
  ["list of variables"] = "string|string[]",
  ["module, path or table of functions"] = "string|luvd.Service",
  ["name"] = "string",
  ["name or number"] = "string|integer",
  ["number"] = "integer",
  ["number or \"auto\""] = "integer|\"auto\"",
  ["number, size or \"unlimited\""] = "luvd.Size|\"unlimited\"",
  ["octal string"] = "string",
  ["path"] = "string",
  ["path or \"auto\""] = "string|\"auto\"",
  ["path or false"] = "string|false",
  ["policy or table"] = "\"always\"|\"on-failure\"|\"never\"|CLASS",
  ["sink"] = "string",
  ["sink or table"] = "string|CLASS",
  ["size"] = "luvd.Size",
  ["syslog facility"] = "string",
  ["table"] = "CLASS",
  ["table of actions"] = "table<string, ITEM>",
  ["table of files"] = "table<string, ITEM>",
  ["table of limits"] = "table<string, ITEM>",
  ["table of listeners"] = "table<string, ITEM>",
  ["table of plain data"] = "table",
  ["table of variables"] = "table<string, ITEM>",
  ["text"] = "string",
  ["true, false or an octal mode"] = "boolean|string",
}

-- "luvd.DaemonFile.Listen" of "listen.NAME".
local function class_of(name)
  local words = {}
  for word in name:gmatch "[^.]+" do
    if word ~= "NAME" then words[#words + 1] = word:sub(1, 1):upper() .. word:sub(2) end
  end
  return "luvd.DaemonFile" .. (#words > 0 and "." .. table.concat(words, ".") or "")
end

local function type_of(all, key)
  if key.expected == "true or false" then return "boolean" end
  local values = facts.values(key)
  if values then
    for i, value in ipairs(values) do values[i] = value:find "NAME" and "string" or '"' .. value .. '"' end
    return table.concat(values, "|")
  end
  local type = types[key.type]
  if not type then error(("docs/make/keys.lua has no type for '%s', which %s is"):format(key.type, key.name), 0) end
  type = type:gsub("ITEM", function() return type_of(all, all.keys[key.name .. ".NAME"]) end)
  return (type:gsub("CLASS", class_of(key.name)))
end

local function default_of(key)
  if not key.default then return "none" end
  return key.default:match "^%((.*)%)$" or key.default
end

local function field(all, key)
  return ("---@field %s? %s %s; default: %s"):format(key.name:match "[^.]*$", type_of(all, key), key.help,
    default_of(key))
end

-- The keys right below a name; "": at the top.
local function below(all, name)
  local list = {}
  for _, key in ipairs(all.keys) do
    local is_below = (facts.parent(key) or "") == name and not key.name:find "%.NAME$"
    if is_below and not key.later then list[#list + 1] = key end
  end
  return list
end

local function class(all, name, text)
  local lines = { "---" .. text, "---@class (exact) " .. class_of(name) }
  for _, key in ipairs(below(all, name)) do lines[#lines + 1] = field(all, key) end
  return table.concat(lines, "\n")
end

--- The text of the file.
return function(all)
  local parts = { [[
---@meta

-- The keys of a daemon file, for editors; made by docs/make.lua from src/spec/fields.c. The line above the return of a
-- daemon file asks for them: ---@type luvd.DaemonFile]],
    class(all, "", "What a daemon file returns. `luvd help KEY` and luvd.conf(5) tell more.") }
  for _, key in ipairs(all.keys) do
    if not key.later and #below(all, key.name) > 0 then
      local text = ("%s%s."):format(key.help:sub(1, 1):upper(), key.help:sub(2))
      parts[#parts + 1] = class(all, key.name, ("The key `%s`. %s"):format(key.name, text))
    end
  end
  return table.concat(parts, "\n\n") .. "\n"
end
