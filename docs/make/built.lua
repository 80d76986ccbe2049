-- What is installed beside the program: a table of file name to text. It reads lua/luvd, so it is run at the top of the
-- repository.

local pages = require "make.pages"

--- all: as make.facts has read it; seconds: since 1970, the date of the pages; nil: now.
return function(all, seconds)
  local date = os.date("!%Y-%m-%d", seconds)
  return {
    ["luvd.1"] = require "make.man_luvd"(all, date),
    ["luvd.conf.5"] = require "make.man_conf"(all, date),
    ["luvd.lua.3"] = require "make.man_lua"(all, pages.declared(), date),
    ["luvd-lua.1"] = ".so man1/luvd.1\n",
    ["luvd.bash"] = require "make.complete_bash"(all),
    ["luvd.fish"] = require "make.complete_fish"(all),
    ["_luvd"] = require "make.complete_zsh"(all),
  }
end
