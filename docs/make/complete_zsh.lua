-- The completion of zsh: a function for $fpath, called _luvd.

local complete = require "make.complete"
local facts = require "make.facts"

local functions = [=[
# What stands in the folders of running daemons.
_luvd_names() {
  local folder home=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/luvd}
  local -a names
  for folder in /run/luvd/*(N/) ${home:-/tmp/luvd-$UID}/*(N/); do
    [[ -e $folder/record ]] && names+=(${folder:t})
  done
  _wanted names expl 'running daemon' compadd -a names
}

_luvd_files() {
  _files -g '*.lua(-.)'
}

_luvd_daemons() {
  _alternative 'names:running daemon:_luvd_names' 'files:daemon file:_luvd_files'
}

# Keys as far as the next dot; NAME stands for what is typed in its place. Values once there is a "=".
_luvd_keys() {
  local entry word i fits cur=$PREFIX
  local -a typed parts open whole
  typed=("${(@s:.:)cur}")
  for entry in $luvd_keys; do
    [[ $entry == *=?* && $cur != *=* ]] && continue
    parts=("${(@s:.:)${entry%.}}")
    (( $#parts == $#typed )) || continue
    fits=1
    for (( i = 1; i <= $#parts; i++ )); do
      [[ ${parts[i]%%=*} == NAME && -n ${typed[i]%%=*} ]] && parts[i]=${typed[i]%%=*}${parts[i]#NAME}
      (( i == $#parts )) && [[ $parts[i] == NAME* ]] && fits=
      (( i < $#parts )) && [[ $parts[i] != "$typed[i]" ]] && fits=
    done
    word=${(j:.:)parts}
    [[ -n $fits ]] || continue
    case $entry in
    *.) open+=($word.) ;;
    *=) open+=($word) ;;
    *) whole+=($word) ;;
    esac
  done
  compadd -S '' -a open
  compadd -a whole
}
]=]

-- Within brackets of _arguments.
local function described(text)
  return (text:gsub("[%[%]:\\]", "\\%0"))
end

local function action(option)
  if option.value == "KEY=VALUE" then return ":key:_luvd_keys" end
  if option.choices then return (":%s:(%s)"):format(option.value:lower(), table.concat(option.choices, " ")) end
  if option.value == "FOLDER" then return ":folder:_files -/" end
  if option.value == "FILE" then return ":file:_files" end
  return option.value and (":%s: "):format(option.value:lower()) or ""
end

local repeated = { ["--set"] = true, ["--execute"] = true, ["-e"] = true, ["-l"] = true }

local function option_words(option)
  local list = {}
  for _, spelling in ipairs(complete.spellings(option)) do
    local long = spelling:sub(1, 2) == "--"
    local joined = option.value and (long and "=" or "+") or ""
    local others = repeated[option.name] and "*"
      or "(" .. table.concat(complete.spellings(option), " ") .. ")"
    list[#list + 1] = complete.quoted(("%s%s%s[%s]%s"):format(others, spelling, joined, described(option.help),
      action(option)))
  end
  return list
end

local function operand(command)
  local takes = complete.takes(command)
  if takes.name then return "'1:daemon:_luvd_daemons'" end
  if takes.file then return "'1:daemon file:_luvd_files'" end
  if takes.key then return "'1:key:($luvd_help_keys)'" end
end

local function command_case(all, command)
  local lines = { ("  %s)"):format(command.name), "    _arguments -s \\" }
  for _, option in ipairs(facts.options(all, command)) do
    for _, word in ipairs(option_words(option)) do lines[#lines + 1] = "      " .. word .. " \\" end
  end
  local last = operand(command)
  if last then lines[#lines + 1] = "      " .. last:gsub("^'1:key:.*$", '"1:key:($luvd_help_keys)"') .. " \\" end
  lines[#lines] = lines[#lines]:sub(1, -3)
  lines[#lines + 1] = "    ;;"
  return table.concat(lines, "\n")
end

return function(all)
  local commands, cases, keys, names = {}, {}, {}, {}
  for i, command in ipairs(all.commands) do
    commands[i] = "    " .. complete.quoted(command.name .. ":" .. described(command.help))
    cases[i], names[i] = command_case(all, command), command.name
  end
  for i, key in ipairs(all.keys) do keys[i] = key.name end
  return table.concat({
    "#compdef luvd",
    complete.head("zsh", all.version),
    "",
    functions,
    "_luvd() {",
    "  local curcontext=$curcontext expl",
    "  local -a luvd_keys luvd_commands luvd_help_keys",
    ("  luvd_keys=(%s)"):format(table.concat(complete.keys(all), "\n    ")),
    ("  luvd_help_keys=(%s %s)"):format(table.concat(names, " "), table.concat(keys, "\n    ")),
    "  luvd_commands=(",
    table.concat(commands, "\n"),
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe -t commands 'command of luvd' luvd_commands",
    "    return",
    "  fi",
    "  shift words",
    "  (( CURRENT-- ))",
    "  case $words[1] in",
    table.concat(cases, "\n"),
    "  esac",
    "}",
    "",
    '_luvd "$@"',
  }, "\n") .. "\n"
end
