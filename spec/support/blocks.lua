-- The pieces of code that a page of the manual shows.

local blocks = {}

--- The fenced blocks of a language, in order.
---@param page string the page's text
---@return string[]
function blocks.of(page, language)
  local list = {}
  for text in ("\n" .. page):gmatch("\n```" .. language .. "\n(.-)```") do list[#list + 1] = text end
  return list
end

-- The name that the first line of a block gives it: "-- spec/greet_spec.lua: what it is for", "# nginx/nginx.conf".
local function name_of(text)
  return text:match "^%-%- ([%w_./]+%.lua)[:\n]" or text:match "^[#;] ([%w_./]+%.%l+)[:\n]"
end

--- The Lua blocks that are files, which their first line says: "-- greet.lua". Name to text, and the names in order;
--- then the others, in order.
---@return table<string, string> files
---@return string[] names
---@return string[] others
function blocks.files(page)
  local files, names, others = {}, {}, {}
  for _, text in ipairs(blocks.of(page, "lua")) do
    local name = name_of(text)
    if name then
      assert(not files[name], name .. " is shown twice")
      files[name], names[#names + 1] = text, name
    else
      others[#others + 1] = text
    end
  end
  return files, names, others
end

-- What a comment above a block says to whoever runs it.
local NOTES = {
  ["not run"] = true, -- why not
  needs = true, -- a program that not everybody has: without it the block is left out
  here = true, -- a line of shell that comes before the block, unseen by the reader
  ["then"] = true, -- one that comes after it, and must succeed too
  exits = true, -- with which code the block's last failing command exits
  stays = true, -- it runs on; what it prints once it is ready, as a Lua pattern
}

local function add_note(notes, comment, line)
  local key, value = comment:match "^%s*([%a ]-):%s*(.-)%s*$"
  assert(key and NOTES[key] and value ~= "", ("line %d: not a note on a block: %s"):format(line, comment))
  assert(not notes[key], ("line %d: a second '%s'"):format(line, key))
  notes[key] = value
end

---@class support.block
---@field language string "" when the fence names none
---@field text string
---@field line integer of its fence
---@field name? string of the file that it is
---@field notes table<string, string>

--- All fenced blocks of a page, in order, with the notes in the HTML comments right above them.
---@return support.block[]
function blocks.all(page)
  local list, comments, block, comment = {}, {}, nil, nil
  local number = 0
  for line in page:gmatch "([^\n]*)\n" do
    number = number + 1
    if block then
      if line == "```" then
        block.text = table.concat(block, "\n") .. (block[1] and "\n" or "")
        block.name = name_of(block.text)
        list[#list + 1], block = block, nil
      else
        block[#block + 1] = line
      end
    elseif comment or line:find "^<!%-%-" then
      comment = (comment and comment .. "\n" or "") .. line
      local whole = comment:match "^<!%-%-(.-)%-%->$"
      if whole then comments[#comments + 1], comment = whole, nil end
    elseif line:find "^```" then
      block = { language = line:match "^```(.*)$", line = number, notes = {} }
      for _, one in ipairs(comments) do add_note(block.notes, one, number) end
      comments = {}
    else
      comments = {}
    end
  end
  assert(not block and not comment, "a block or a comment has no end")
  return list
end

-- After a number they differ from run to run too.
local UNITS = { ms = true, s = true, m = true, h = true, B = true, KiB = true, MiB = true }

--- A text without what differs from run to run: numbers and their units, folders, the width of columns.
function blocks.plain(text)
  text = text:gsub("/[%w_/.-]*/", ""):gsub("%d+%.?%d*", "N")
  text = text:gsub("N ?(%a+)", function(unit) return UNITS[unit] and "N" end)
  return (text:gsub(" +", " "):gsub(" *%f[\n\0]", ""))
end

-- Do the lines from at on, with "..." for any number of them, begin the others from from on and reach their end?
local function same(shown, at, printed, from)
  if at > #shown then return from > #printed end
  if shown[at] == "..." then
    for skip = from, #printed + 1 do
      if same(shown, at + 1, printed, skip) then return true end
    end
    return false
  end
  return shown[at] == printed[from] and same(shown, at + 1, printed, from + 1)
end

local function lines(text)
  local list = {}
  for line in blocks.plain(text):gsub("\n*$", "\n"):gmatch "([^\n]*)\n" do list[#list + 1] = line end
  return list
end

--- Is what a page shows what was printed? A line "..." stands for any lines.
function blocks.shows(shown, printed)
  return same(lines(shown), 1, lines(printed), 1)
end

return blocks
