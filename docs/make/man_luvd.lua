-- luvd(1): the commands.

local facts = require "make.facts"
local roff = require "make.roff"

local description = [[
luvd runs a service written in Lua as a daemon. A daemon file says what the daemon is, in one table of Lua: its
sockets, its user, its limits, its service; see luvd.conf(5). The service is Lua code that runs in an event
loop, in a worker that has given up every right it does not need, under a monitor, which runs no Lua; see
luvd.lua(3).

`FILE` is the path of a daemon file. Where a daemon runs already it may be its name instead: what has no "/" and
does not end in ".lua".
]]

local signals = {
  { "HUP", "Reload; the verdict is in the log." },
  { "USR1", "Open the log and `files` anew." },
  { "USR2", "Upgrade: go on with the luvd that was installed meanwhile." },
  { "TERM", "Stop gracefully, within `timeouts.stop`; a second one is immediate. INT does it in the foreground." },
  { "QUIT", "Stop now: workers are killed." },
}

local paths = {
  { "/run/luvd/NAME", "The daemon's lock, record and control socket, for as long as it runs. Of a daemon that root has "
    .. "not started: `$XDG_RUNTIME_DIR/luvd/NAME`, else `/tmp/luvd-UID/NAME`." },
  { "/run/NAME.pid", "The process id; of others in `$XDG_RUNTIME_DIR`. The key `pidfile` changes it." },
  { "/var/log/NAME.log", "The log of `luvd start`; of others `~/.local/state/NAME.log`. The key `log` changes it." },
}

local variables = {
  { "NOTIFY_SOCKET, LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID, WATCHDOG_USEC",
    "How a service manager is told that the daemon is ready, hands over sockets, and watches it." },
  { "NO_COLOR, TERM", "Whether log and errors on a terminal are coloured: not when NO_COLOR is set and not empty, "
    .. "nor when TERM is not set or `dumb`." },
  { "XDG_RUNTIME_DIR, HOME", "Where a daemon that root has not started has its folders and its log." },
  { "LUA_INIT, LUA_PATH, LUA_CPATH", "For `luvd lua` and `luvd test` as for lua(1)." },
  { "TZ", "The time zone of `luvd.cron` and `os.date`, when the key `environment.keep` names it." },
}

local function code_list(page, codes)
  for _, code in ipairs(codes) do page:item(tostring(code.code), code.means) end
end

local function put_option(page, option)
  local name = option.letter and ("-%s, %s"):format(option.letter, option.name) or option.name
  page:item(name, option.help, option.value)
  if option.choices then page:more("One of: `" .. table.concat(option.choices, "`, `") .. "`.") end
end

local function put_command(page, all, command)
  page:subsection(("luvd %s %s"):format(command.name, command.arguments):match "^(.-)%s*$")
  page:text(command.text)
  for _, option in ipairs(facts.options(all, command)) do
    if option.name ~= "--help" then put_option(page, option) end
  end
  page.fresh = false
  page:text "Exit codes:"
  code_list(page, command.codes)
  for _, example in ipairs(command.examples) do
    page:text(example.does:sub(1, 1):upper() .. example.does:sub(2) .. ":")
    page:code(example.line)
  end
end

local function put_pairs(page, list)
  for _, pair in ipairs(list) do page:item(pair[1], pair[2]) end
end

--- The text of the page. date: of its making.
return function(all, date)
  local page = roff.new { name = "luvd", section = 1, about = "run a service written in Lua as a daemon",
    version = all.version, date = date }
  page:section "SYNOPSIS"
  local lines = {}
  for i, command in ipairs(all.commands) do
    lines[i] = ("luvd %s %s"):format(command.name, command.arguments):match "^(.-)%s*$"
  end
  page:synopsis(lines)
  page:section "DESCRIPTION"
  page:text(description)
  page:section "COMMANDS"
  page:text "Every command takes `--help`: it prints what the command does, its options and examples, and leaves."
  for _, command in ipairs(all.commands) do put_command(page, all, command) end
  page:section "EXIT STATUS"
  code_list(page, {
    { code = 0, means = "Done." },
    { code = 1, means = "It failed: this machine or the service refuses. `luvd status`: dead, its record is left." },
    { code = 2, means = "Wrong usage, or a daemon file that `luvd check` finds wrong." },
    { code = 3, means = "`run`, `start`: it runs already. All others: it does not run." },
    { code = 4, means = "`luvd status`: unknown." },
  })
  page:section "SIGNALS"
  page:text "They are for the process whose id `luvd start` prints. The key `signals` changes what they mean."
  put_pairs(page, signals)
  page:section "FILES"
  put_pairs(page, paths)
  page:section "ENVIRONMENT"
  page:text "A service gets only what the daemon file's `environment` says. luvd itself looks at:"
  put_pairs(page, variables)
  page:see { "luvd.conf(5)", "luvd.lua(3)", "lua(1)" }
  return page:finish()
end
