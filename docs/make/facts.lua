-- What `luvd help --json` says of commands, options and keys of the daemon file, as a table:
--
--   version
--   commands  { name, arguments, help, options = names, own = those that it reads itself, text,
--               codes = { code, means }, examples = { line, does } }
--   options   { name, letter, value, choices, help }; also by name
--   keys      { name, type, expected, shorthand, group, map, default, change, later, least, most, help }

local ok, json = pcall(require, "luvd.json") -- under luvd lua
if not ok then json = require "dkjson" end

local facts = {}

local function by_name(list)
  for _, item in ipairs(list) do list[item.name] = item end
  return list
end

--- Reads the text. Raises when it is not what this luvd prints.
function facts.read(text)
  local all = json.decode(text)
  if type(all) ~= "table" or not all.commands then error("this is not what luvd help --json prints", 0) end
  by_name(all.commands)
  by_name(all.options)
  by_name(all.keys)
  for _, option in ipairs(all.options) do
    local words = {}
    for word in (option.choices or ""):gmatch "%S+" do words[#words + 1] = word end
    option.choices = #words > 0 and words or nil
  end
  return all
end

--- Asks a program. Nil when it cannot be run.
function facts.ask(program)
  local pipe <close> = assert(io.popen(("'%s' help --json 2>/dev/null"):format(program:gsub("'", "'\\''"))))
  local text = pipe:read "a"
  return text ~= "" and facts.read(text) or nil
end

--- The options of a command, as it takes them, and the one that all have.
function facts.options(all, command)
  local list = {}
  for _, option in ipairs(command.own) do list[#list + 1] = option end
  for _, name in ipairs(command.options) do list[#list + 1] = all.options[name] end
  local letter = #command.own == 0 and "h" or nil
  list[#list + 1] = { name = "--help", letter = letter, help = "print what the command does, and leave" }
  return list
end

--- "listen.NAME" of "listen.NAME.backlog"; nil at the top.
function facts.parent(key)
  return key.name:match "^(.*)%.[^.]*$"
end

-- Kinds whose words between quotes stand for others.
local open = { ['"user" or "user:group"'] = true }

--- All values of a key, as they are written after "=", when they are few: { "debug", "info" }; else nil.
function facts.values(key)
  if key.expected == "true or false" then return { "true", "false" } end
  if open[key.type] then return nil end
  local list, rest = {}, key.expected:gsub('"[^"]*"', ""):gsub("[, ]", ""):gsub("^or$", "")
  if rest ~= "" or key.expected == "" then return nil end
  for word in key.expected:gmatch '"([^"]*)"' do list[#list + 1] = word end
  return list
end

return facts
