-- The completion of fish.

local complete = require "make.complete"
local facts = require "make.facts"

local functions = [=[
# Is the word of the command still to come?
function __luvd_begins
    test (count (commandline -opc)) -eq 1
end

function __luvd_is
    set -l words (commandline -opc)
    test (count $words) -gt 1; and test $words[2] = $argv[1]
end

# What stands in the folders of running daemons.
function __luvd_names
    set -l home /tmp/luvd-(id -u)
    set -q XDG_RUNTIME_DIR; and test -n "$XDG_RUNTIME_DIR"; and set home $XDG_RUNTIME_DIR/luvd
    for record in /run/luvd/*/record $home/*/record
        printf '%s\trunning daemon\n' (basename (dirname $record))
    end
end

# Files of Lua, and folders on the way to them.
function __luvd_files
    set -l typed (commandline -ct)
    for path in $typed*.lua
        test -f $path; and printf '%s\n' $path
    end
    for path in $typed*/
        printf '%s\n' $path
    end
end

# Keys as far as the next dot; NAME stands for what is typed in its place. Values once there is a "=".
function __luvd_keys
    set -l cur (commandline -ct | string replace -r '^--set=' '')
    set -l typed (string split . -- "$cur")
    for entry in $__luvd_key_list
        string match -qr '=.' -- $entry; and not string match -q '*=*' -- "$cur"; and continue
        set -l parts (string split . -- (string replace -r '\.$' '' -- $entry))
        test (count $parts) -eq (count $typed); or continue
        set -l fits 1
        for i in (seq (count $parts))
            set -l name (string replace -r '=.*' '' -- "$typed[$i]")
            string match -qr '^NAME(=|$)' -- $parts[$i]; and test -n "$name"
            and set parts[$i] (string replace NAME $name -- $parts[$i])
            if test $i -lt (count $parts)
                test $parts[$i] = "$typed[$i]"; or set fits 0
            else
                string match -qr '^NAME(=|$)' -- $parts[$i]; and set fits 0
            end
        end
        test $fits = 1; or continue
        set -l word (string join . -- $parts)
        string match -q '*.' -- $entry; and set word $word.
        test "$word" = "$cur"; or printf '%s\n' $word
    end
end
]=]

local function action(option)
  if not option.value then return "" end
  if option.value == "KEY=VALUE" then return " -x -a '(__luvd_keys)'" end
  if option.choices then return " -x -a " .. complete.quoted(table.concat(option.choices, " ")) end
  if option.value == "FOLDER" or option.value == "FILE" then return " -r -F" end
  return " -x"
end

local function spelled(option)
  local words = ""
  for _, spelling in ipairs(complete.spellings(option)) do
    words = words .. (spelling:match "^%-%-" and " -l " or " -s ") .. spelling:match "^%-+(.*)$"
  end
  return words
end

local function command_lines(all, command)
  local takes = complete.takes(command)
  local is = ("complete -c luvd -n '__luvd_is %s'"):format(command.name)
  local lines = { ("complete -c luvd -n __luvd_begins -a %s -d %s"):format(command.name,
    complete.quoted(command.help)) }
  for _, option in ipairs(facts.options(all, command)) do
    lines[#lines + 1] = ("%s%s%s -d %s"):format(is, spelled(option), action(option), complete.quoted(option.help))
  end
  if takes.name then lines[#lines + 1] = is .. " -a '(__luvd_names)'" end
  if takes.file then lines[#lines + 1] = is .. " -a '(__luvd_files)'" end
  if takes.key then lines[#lines + 1] = is .. " -a '$__luvd_help_keys'" end
  return table.concat(lines, "\n")
end

return function(all)
  local blocks, keys, names = {}, {}, {}
  for i, command in ipairs(all.commands) do blocks[i], names[i] = command_lines(all, command), command.name end
  for i, key in ipairs(all.keys) do keys[i] = key.name end
  return table.concat({
    complete.head("fish", all.version),
    "",
    ("set -g __luvd_key_list %s"):format(table.concat(complete.keys(all), " \\\n    ")),
    ("set -g __luvd_help_keys %s %s"):format(table.concat(names, " "), table.concat(keys, " \\\n    ")),
    "",
    functions,
    "complete -c luvd -f",
    table.concat(blocks, "\n"),
  }, "\n") .. "\n"
end
