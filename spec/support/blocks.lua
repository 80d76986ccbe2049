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

--- The Lua blocks that are files, which their first line says: "-- greet.lua". Name to text, and the names in order;
--- then the others, in order.
---@return table<string, string> files
---@return string[] names
---@return string[] others
function blocks.files(page)
  local files, names, others = {}, {}, {}
  for _, text in ipairs(blocks.of(page, "lua")) do
    local name = text:match "^%-%- ([%w_]+%.lua)[:\n]"
    if name then
      assert(not files[name], name .. " is shown twice")
      files[name], names[#names + 1] = text, name
    else
      others[#others + 1] = text
    end
  end
  return files, names, others
end

return blocks
