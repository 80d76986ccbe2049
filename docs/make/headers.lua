-- docs/internals.md: what the headers in src say, room by room, for somebody who reads the code. A header is comments
-- and declarations: a comment becomes text, the declarations below it, up to an empty line, code.

local markdown = require "make.markdown"

-- The rooms in the order in which one calls the other, and in each the headers to begin with; the others follow in the
-- order of their names, and then the folders below the room.
local rooms = {
  { name = "src", says = "What everything else uses.", first = { "err" } },
  { name = "src/cmd", says = "One command a file.", first = { "cmd" } },
  { name = "src/spec", says = "The daemon file as data.", first = { "fields", "spec" } },
  { name = "src/plan", says = "The steps from the shell prompt to the event loop: one table, one file a step.",
    first = { "machine", "plan", "step", "daemon" } },
  { name = "src/unit", says = "What starts a daemon file elsewhere: units and scripts, one format a file.",
    first = { "unit" } },
  { name = "src/sys", says = "The only door to the kernel.", first = { "sys" } },
  { name = "src/host", says = "The processes, and what they say to each other.",
    first = { "launch", "worker", "channel", "control", "log", "notify" } },
  { name = "src/service", says = "The Lua side: the state, the life of the service, one file a Lua module.",
    first = { "vm", "life", "task" } },
}

local header = {}
header.__index = header

function header:fail(problem)
  error(("%s:%d: %s"):format(self.path, self.number, problem), 0)
end

-- The lines of a comment without its marks. self.number is its first line.
function header:comment()
  local lines = {}
  repeat
    local line = self.list[self.number] or self:fail "a comment that does not end"
    local last = line:find("*/", 1, true)
    line = line:gsub("%s*%*/.*$", "")
    lines[#lines + 1] = (#lines == 0 and line:gsub("^/%*+ ?", "") or line:gsub("^ %* ?", ""))
    self.number = self.number + 1
  until last
  while lines[1] == "" do table.remove(lines, 1) end
  while lines[#lines] == "" do table.remove(lines) end
  return lines
end

-- Prose of C as Markdown: indented lines stay as they are, as code.
local function prose(lines)
  local out = {}
  for _, line in ipairs(lines) do
    local indented = line:match "^%s%s+(.*)$"
    out[#out + 1] = indented and "    " .. indented
      or markdown.outside_code(line, function(part) return (part:gsub("[<*]", "\\%0")) end)
  end
  return table.concat(out, "\n")
end

-- A function with its body ends with its head.
local function without_body(code)
  local lines = {}
  for _, line in ipairs(code) do
    if line == "{" then
      lines[#lines] = lines[#lines] .. ";"
      return lines
    end
    lines[#lines + 1] = line
  end
  return lines
end

-- Declarations up to an empty line outside braces, or a comment at the margin.
function header:code()
  local lines, depth = {}, 0
  while self.list[self.number] do
    local line = self.list[self.number]
    if depth == 0 and (line == "" or line:match "^/%*" or line:match "^#endif") then break end
    local _, opened = line:gsub("{", "")
    local _, closed = line:gsub("}", "")
    depth = depth + opened - closed
    lines[#lines + 1] = line
    self.number = self.number + 1
  end
  return without_body(lines)
end

function header:put(text)
  table.insert(self.out, text)
end

function header:put_code(lines)
  if #lines == 0 then return end
  local previous = self.out[#self.out]
  local text = table.concat(lines, "\n") .. "\n```\n"
  if previous and previous:sub(1, 4) == "```c" then
    self.out[#self.out] = previous:sub(1, -5) .. "\n" .. text
  else
    self:put("```c\n" .. text)
  end
end

local function skipped(line)
  return line == "" or line:match "^#%s*ifndef" or line:match "^#%s*define LUVD_[%w_]+_H$" or line:match "^#%s*include"
    or line:match "^#%s*if" or line:match "^#%s*endif" or line:match "^#%s*else"
end

function header:read()
  while self.list[self.number] do
    local line = self.list[self.number]
    if skipped(line) then
      self.number = self.number + 1
    elseif line:match "^/%*" then
      local comment = self:comment()
      local section = #comment == 1 and comment[1]:match "^%-%-%- (.-) %-%-%-$"
      self:put(section and ("#### %s\n"):format(section) or prose(comment) .. "\n")
      self.commented = true
    else
      self:put_code(self:code())
    end
  end
  if not self.commented then
    self.number = 1
    self:fail "a header without a comment: say what it is for"
  end
  return table.concat(self.out, "\n")
end

local function read(path, text)
  local list = {}
  for line in text:gmatch "(.-)\n" do list[#list + 1] = line end
  return setmetatable({ path = path, list = list, number = 1, out = {} }, header):read()
end

-- The room's headers: those named first, then the others, which come sorted.
local function of_room(room, texts)
  local rank, list = {}, {}
  for i, name in ipairs(room.first) do rank[("%s/%s.h"):format(room.name, name)] = i end
  for i, one in ipairs(texts) do
    if one.path:match "^(.*)/" == room.name then
      list[#list + 1] = { path = one.path, text = one.text, rank = rank[one.path] or 1000 + i }
    end
  end
  table.sort(list, function(a, b) return a.rank < b.rank end)
  return list
end

-- The rooms, each before the folders below it.
local function all_rooms(texts)
  local list = {}
  for _, room in ipairs(rooms) do
    local seen = {}
    list[#list + 1] = room
    for _, one in ipairs(texts) do
      local folder = one.path:match "^(.*)/"
      if room.name ~= "src" and not seen[folder] and folder:sub(1, #room.name + 1) == room.name .. "/" then
        seen[folder] = true
        list[#list + 1] = { name = folder, says = ("A part of %s."):format(room.name), first = {} }
      end
    end
  end
  return list
end

--- The text of the page. texts: a sorted list of { path, text }.
return function(texts)
  local out = { [[
# Inside luvd

What the C headers say of themselves, room by room; made by docs/make.lua, `./setup.sh golden` writes it anew. The rooms
call one way: cmd, host, plan, sys, with spec beside plan and service under host; everything may use err. A newcomer
reads [fields](../src/spec/fields.c), the [table of steps](../src/plan/table.c), one step,
[plan](../src/plan/plan.c) and [worker](../src/host/worker.c), in that order.
]] }
  local left = {}
  for _, one in ipairs(texts) do left[one.path] = true end
  for _, room in ipairs(all_rooms(texts)) do
    out[#out + 1] = ("## %s\n\n%s\n"):format(room.name, room.says)
    for _, one in ipairs(of_room(room, texts)) do
      out[#out + 1] = ("### [%s](../%s)\n\n%s"):format(one.path:match "[^/]+$", one.path, read(one.path, one.text))
      left[one.path] = nil
    end
  end
  local path = next(left)
  if path then error("a header lies in a folder that docs/make/headers.lua has no room for: " .. path, 0) end
  return (table.concat(out, "\n"):gsub("\n+$", "\n"))
end
