-- luvd.conf(5): the daemon file, key by key.

local roff = require "make.roff"

local description = [[
A daemon file is a Lua file that returns one table, which says all there is to say about a daemon. It has any
name that ends in ".lua"; the daemon is called like it, unless `name` says otherwise. `luvd check` reads it and
tells all that is wrong, `luvd plan` tells what would be done with it.

It is read as data, in a closed Lua state: `string`, `table`, `math`, `utf8`, `pairs` (sorted) and the like are
there, `io`, `os` and `load` are not. `host.env`, `host.hostname`, `host.cpus` and `host.directory` tell where
it is read. `include "base.lua"` reads another file by the same rules. `require` gives a placeholder, so that
functions of the service may stand in the same file: they run later, in the event loop. Reading is bounded: 2
seconds of CPU, 5 of wall time, 64 MiB.
]]

local example = [[
return {
  user = "www-data",
  chroot = "auto",
  listen = { web = { address = "tcp://0.0.0.0:80", max_connections = 1000 } },
  log = { level = "debug" },
  timeouts = { stop = "10s" },
  config = { greeting = "hello" },
  service = "./greeter.lua",
}
]]

local values = {
  { "duration", 'Seconds, or a number with a unit: `"250ms"`, `"10s"`, `"5m"`, `"2h"`, `"7d"`.' },
  { "size", 'Bytes, or a number with a unit: `"64KiB"`, `"4MiB"`, `"1GiB"`.' },
  { "octal string", 'Permissions as chmod(1) writes them: `"0640"`.' },
  { "path", "A relative one begins at the folder of the daemon file." },
}

local change = {
  restart = "Changes by a restart only.",
  workers = "A reload that changes it starts new workers.",
  reload = "A reload changes it in place.",
}

local function put_key(page, key)
  page:item(key.name, key.help:sub(1, 1):upper() .. key.help:sub(2) .. ".")
  if key.later then return page:more "Not supported by this version." end
  local default = key.default and (key.default:match "^%((.*)%)$" or "`" .. key.default .. "`") or "none"
  page:more(("Type: %s. Default: %s. %s"):format(key.type, default, change[key.change]))
  if key.shorthand then
    page:more(("What is no table stands for `{ %s = ... }`."):format(key.shorthand))
  end
end

return function(all, date)
  local page = roff.new { name = "luvd.conf", section = 5, about = "the daemon file of luvd", version = all.version,
    date = date }
  page:section "SYNOPSIS"
  page:text "`luvd start` `FILE.lua`"
  page:section "DESCRIPTION"
  page:text(description)
  page:code(example)
  page:section "VALUES"
  for _, value in ipairs(values) do page:item(value[1], value[2]) end
  page:section "KEYS"
  page:text([[
NAME stands for a name of your choice. Keys of a table in a table are written with a dot, here as in error
messages and after `--set`. An unknown key is an error that names the nearest right one.]])
  for _, key in ipairs(all.keys) do put_key(page, key) end
  page:section "COMMAND LINE"
  page:text([[
`--set` `KEY=VALUE` changes a key for this run and all its reloads: VALUE is a literal of Lua if it can be read
as one, else a string. `--set` `KEY=` removes the key. `luvd help KEY` tells what stands here of one key.]])
  page:code "luvd run hello.lua --set listen.web=tcp://127.0.0.1:8081 --set user="
  page:see { "luvd(1)", "luvd.lua(3)" }
  return page:finish()
end
