-- What a shell offers when Tab is pressed at the end of a line.

local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"

-- Called as readline does: with the line, and its own idea of where words break.
local bash = [=[
. "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
_luvd
((${#COMPREPLY[@]} == 0)) || printf 'offer:%s\n' "${COMPREPLY[@]}"
]=]

local fish = [=[
source $argv[1]
complete -C $argv[2] | string replace -r '\t.*' '' | string replace -r '^' 'offer:'
true
]=]

-- An interactive zsh behind a pseudo terminal. What would be listed goes through compadd, which prints it; the mark
-- behind says that all of it was.
local zsh = [=[
zmodload zsh/zpty
zpty z 'PS1= zsh -f -i'
zpty -w z "fpath=(${(q)1:h} \$fpath); autoload -Uz compinit; compinit -u -D; bindkey -e"
zpty -w z 'compadd() {
  local -a found
  if [[ " ${(j: :)@[1,(i)(-|--)]} " != *\ -[OAD]\ * ]]; then
    builtin compadd -A found "$@"
    print -rl -- "offer:"${^found}
  fi
  builtin compadd "$@"
}
look() { zle list-choices; print -r -- "the e""nd"; }
zle -N look; bindkey "^I" look; print -r -- "set ""up"'
while zpty -r z line && [[ $line != *"set up"* ]]; do :; done
zpty -w -n z "$2"$'\t'
while zpty -r z line && [[ $line != *"the end"* ]]; do print -r -- "$line"; done
zpty -d z
]=]

local shells = {}

---@class support.shell
---@field name string
---@field file string its completion, as it is built
---@field binary string
local shell = {}
shell.__index = shell

local function add(name, file, arguments)
  local paths = { "/bin/" .. name, "/usr/bin/" .. name }
  local binary = tree.exists(paths[1]) and paths[1] or tree.exists(paths[2]) and paths[2]
  shells[#shells + 1] = setmetatable({ name = name, file = file, binary = binary, arguments = arguments }, shell)
end

add("bash", "luvd.bash", { "--norc", "-c", bash, "-" })
add("fish", "luvd.fish", { "--no-config", "-c", fish })
add("zsh", "_luvd", { "-f", "-c", zsh, "-" })

--- Its completion, as it is built.
function shells.text(self)
  local path = ("%s/docs/%s"):format(luvd.build, self.file)
  return proc.slurp(path) or error(path .. " is not there: run ninja manual", 0)
end

--- What it offers, sorted, each once. Its own user has to be able to read the file, so it lies in the test's folder.
---@param line string
---@return string[]
function shell:offers(t, line)
  local file = t.folder .. "/" .. self.file
  if not tree.exists(file) then tree.write(file, shells.text(self), tonumber("644", 8)) end
  local words = { self.binary, table.unpack(self.arguments) }
  words[#words + 1], words[#words + 2] = file, line
  local result = t:command(words)
  assert(result.code == 0, result.err)
  local list, seen = {}, {}
  for word in result.out:gmatch "offer:([^\r\n]+)" do
    if not seen[word] then list[#list + 1] = word end
    seen[word] = true
  end
  table.sort(list)
  return list
end

return shells
