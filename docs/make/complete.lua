-- What the completions of all shells are made of.

local facts = require "make.facts"

local complete = {}

--- What may stand after `--set`, one level of it: "log.", "log=", "log.level=", "log.level=debug", "listen.NAME.". What
--- ends in "." has keys below it.
function complete.keys(all)
  local list, parents = {}, {}
  for _, key in ipairs(all.keys) do
    if facts.parent(key) then parents[facts.parent(key)] = true end
  end
  for _, key in ipairs(all.keys) do
    if not key.later then
      if parents[key.name] then list[#list + 1] = key.name .. "." end
      if not parents[key.name] or key.shorthand then list[#list + 1] = key.name .. "=" end
      for _, value in ipairs(facts.values(key) or {}) do
        if not value:find(".", 1, true) then list[#list + 1] = key.name .. "=" .. value end
      end
    end
  end
  return list
end

--- What a command takes that is no option: names of running daemons, daemon files, keys, or nothing.
function complete.takes(command)
  local words = command.arguments
  return {
    name = words:find("FILE|NAME", 1, true) ~= nil,
    file = words:find "%f[%a]FILE" ~= nil or words:find "SCRIPT" ~= nil,
    key = words:find "%f[%a]KEY%]" ~= nil,
  }
end

--- All that are typed for an option: "--lines", "-n".
function complete.spellings(option)
  local list = { option.name }
  if option.letter then list[2] = "-" .. option.letter end
  return list
end

--- A word in single quotes, as all shells read it.
function complete.quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- What the file says of itself.
function complete.head(shell, version)
  return ("# luvd %s for %s. Made from `luvd help --json`."):format(version, shell)
end

return complete
