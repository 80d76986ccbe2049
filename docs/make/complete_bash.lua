-- The completion of bash: works with bash-completion and without it.

local complete = require "make.complete"
local facts = require "make.facts"

local functions = [=[
_luvd_offer() { # WORDS: those that begin with $cur
  local word
  for word in $1; do
    [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
  done
}

# What stands in the folders of running daemons.
_luvd_names() {
  local folder home=${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/luvd}
  for folder in /run/luvd/*/ "${home:-/tmp/luvd-$UID}"/*/; do
    [[ -e ${folder}record ]] || continue
    folder=${folder%/}
    _luvd_offer "${folder##*/}"
  done
}

# Files of Lua, and folders on the way to them.
_luvd_files() {
  local path
  while IFS= read -r path; do
    if [[ -d $path ]]; then
      COMPREPLY+=("$path/")
      compopt -o nospace 2>/dev/null
    elif [[ $path == *.lua ]]; then
      COMPREPLY+=("$path")
    fi
  done < <(compgen -f -- "$cur")
  compopt -o filenames 2>/dev/null
}

# Keys as far as the next dot; NAME stands for what is typed in its place. Values once there is a "=".
_luvd_keys() {
  local entry i last fits word
  local -a typed parts
  IFS=. read -r -a typed <<<"$cur"
  [[ -z $cur || $cur == *. ]] && typed+=("")
  last=$((${#typed[@]} - 1))
  for entry in $_luvd_key_list; do
    [[ $entry == *=?* && $cur != *=* ]] && continue
    IFS=. read -r -a parts <<<"${entry%.}"
    ((${#parts[@]} == last + 1)) || continue
    fits=1 word=
    for ((i = 0; i <= last; i++)); do
      [[ ${parts[i]%%=*} == NAME && -n ${typed[i]%%=*} ]] && parts[i]=${typed[i]%%=*}${parts[i]#NAME}
      if ((i < last)); then
        [[ ${parts[i]} == "${typed[i]}" ]] || fits=
      else
        [[ ${parts[i]} == "${typed[i]}"* && ${parts[i]} != NAME* ]] || fits=
      fi
      word+=${word:+.}${parts[i]}
    done
    [[ $entry == *. ]] && word+=.
    [[ -n $fits && $word != "$cur" ]] && COMPREPLY+=("$word")
  done
  [[ $cur == *=* ]] || compopt -o nospace 2>/dev/null
}

# Each word of the line, also where "=" or ":" parts it for readline.
_luvd_words() {
  local line=${COMP_LINE:0:COMP_POINT}
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=${words[${#words[@]} - 1]}
  prev=${words[${#words[@]} - 2]}
  if [[ $cur == --*=* ]]; then
    prev=${cur%%=*} cur=${cur#*=}
  fi
}

# Readline replaces only what follows the last of its own breaks.
_luvd_cut() {
  local i before=${cur%"${cur##*[=:]}"}
  [[ $COMP_WORDBREAKS == *[=:]* && -n $before ]] || return 0
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=${COMPREPLY[i]#"$before"}
  done
}

_luvd() {
  local cur prev command
  local -a words
  COMPREPLY=()
  _luvd_words
  command=${words[1]}
  if ((${#words[@]} == 2)); then
    _luvd_offer "$_luvd_commands --help --version"
  else
    _luvd_command
  fi
  _luvd_cut
}
]=]

-- One case of `case $prev in`: what follows an option.
local function value_case(option)
  local pattern = table.concat(complete.spellings(option), "|")
  local action
  if option.value == "KEY=VALUE" then
    action = "_luvd_keys"
  elseif option.choices then
    action = ("_luvd_offer '%s'"):format(table.concat(option.choices, " "))
  elseif option.value == "FOLDER" or option.value == "FILE" then
    action = "compopt -o default 2>/dev/null"
  else
    action = ":"
  end
  return ("    %s) %s; return ;;"):format(pattern, action)
end

local function command_case(all, command)
  local words, values, takes = {}, {}, complete.takes(command)
  for _, option in ipairs(facts.options(all, command)) do
    for _, spelling in ipairs(complete.spellings(option)) do words[#words + 1] = spelling end
    if option.value then values[#values + 1] = value_case(option) end
  end
  local lines = { ("  %s)"):format(command.name) }
  if #values > 0 then
    lines[#lines + 1] = "    case $prev in"
    for _, value in ipairs(values) do lines[#lines + 1] = value end
    lines[#lines + 1] = "    esac"
  end
  lines[#lines + 1] = ("    if [[ $cur == -* ]]; then _luvd_offer '%s'; return; fi"):format(table.concat(words, " "))
  if takes.name then lines[#lines + 1] = "    _luvd_names" end
  if takes.file then lines[#lines + 1] = "    _luvd_files" end
  if takes.key then lines[#lines + 1] = '    _luvd_offer "$_luvd_commands $_luvd_help_keys"' end
  lines[#lines + 1] = "    ;;"
  return table.concat(lines, "\n")
end

return function(all)
  local commands, cases, keys = {}, {}, {}
  for i, command in ipairs(all.commands) do
    commands[i] = command.name
    cases[i] = command_case(all, command)
  end
  for i, key in ipairs(all.keys) do keys[i] = key.name end
  return table.concat({
    complete.head("bash", all.version),
    "",
    ("_luvd_commands='%s'"):format(table.concat(commands, " ")),
    ("_luvd_key_list='%s'"):format(table.concat(complete.keys(all), "\n")),
    ("_luvd_help_keys='%s'"):format(table.concat(keys, "\n")),
    "",
    functions,
    "_luvd_command() {",
    "  case $command in",
    table.concat(cases, "\n"),
    "  esac",
    "}",
    "",
    "complete -F _luvd luvd",
  }, "\n") .. "\n"
end
