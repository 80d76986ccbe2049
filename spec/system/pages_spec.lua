-- README and guide, followed: what a reader types, from top to bottom, and what he is told to expect.

local blocks = require "support.blocks"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local session = require "support.session"
local tree = require "support.tree"

-- Who follows each page. The README begins without an installed luvd.
local pages = {
  { path = "README.md", as = { "root" }, install = false },
  { path = "docs/guide.md", as = { "root" } },
  { path = "docs/guide/first.md", as = { "user", "root" } },
  { path = "docs/guide/testing.md", as = { "user" } },
  { path = "docs/guide/scripts.md", as = { "user" } },
  { path = "docs/guide/units.md", as = { "root" } },
  { path = "docs/guide/life.md", as = { "user" } },
  { path = "docs/guide/reload.md", as = { "user" } },
  { path = "docs/guide/chroot.md", as = { "root" } },
  { path = "docs/guide/questions.md", as = { "user", "root" } },
}

-- Shown, not run: output that has no command above it, and files of other programs.
local SHOWN = { text = true, ini = true, nginx = true, dockerfile = true }

local runs = {}

function runs.sh(follower, block)
  local s, notes = follower.session, block.notes
  if notes.stays then
    follower.output, follower.within = s:stays(block.text, notes.stays), nil
    return
  end
  local result = s:run(block.text)
  local expected = math.tointeger(tonumber(notes.exits or 0))
  if result.code ~= expected then
    error(("'%s' has exited with %d:\n%s"):format(result.command, result.code, result.out), 0)
  end
  if notes["then"] then s:must(notes["then"]) end
  follower.output, follower.within = function() return result.out end, 0
end

-- What the command above has printed; what runs on may take its time.
function runs.output(follower, block)
  local printed = assert(follower.output, "there is no command above")
  if not loop.poll(function() return blocks.shows(block.text, printed()) end, follower.within) then
    error(("it has printed:\n%s"):format(printed()), 0)
  end
end

function runs.lua(follower, block)
  assert(load(block.text, "=" .. (block.name or "block"), "t"))
  if follower.written then follower.files[follower.written] = block.text:find("\n  service = ", 1, true) ~= nil end
end

-- A block: what is to come before it, the file that it is, then what its language asks for.
local function take(follower, block)
  local s, notes, run = follower.session, block.notes, runs[block.language]
  assert(run or SHOWN[block.language], ("a block of '%s'"):format(block.language))
  if notes["not run"] or notes.needs and s:run("command -v " .. notes.needs).code ~= 0 then return end
  if block.language == "sh" then s:interrupt() end -- there is one terminal
  if notes.here then s:must(notes.here) end
  follower.written = block.name and block.language ~= "sh" and s:file(block.name, block.text) or nil
  if run then run(follower, block) end
end

local function follow(t, page, who)
  local follower = { session = session.enter(t, { install = page.install, user = who == "user" }), files = {} }
  local s = follower.session
  tree.copy_folder(luvd.top .. "/examples", s.own .. "/examples") -- the user may not enter the sources' folder
  s:must(("ln -s %s/build build; cp -r %s/examples examples"):format(luvd.top, s.own))
  for _, block in ipairs(blocks.all(proc.slurp(page.path))) do
    local ok, failure = pcall(take, follower, block)
    if not ok then error(("%s:%d: %s"):format(page.path, block.line, failure), 0) end
  end
  s:interrupt()
  for path, daemon_file in pairs(follower.files) do
    if daemon_file then s:must(("if [ -e %s ] && command -v luvd; then luvd check %s; fi"):format(path, path)) end
  end
end

describe("the page", function()
  for _, page in ipairs(pages) do
    for _, who in ipairs(page.as) do
      local test = who == "root" and luvd.root_test or luvd.test
      it(page.path .. " can be followed as " .. who, test(function(t) follow(t, page, who) end))
    end
  end
end)
