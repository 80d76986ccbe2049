-- The marks of src/sys/sys.h: which system calls must not fail, and which may.

local proc = require "support.proc"

local marks = {}

--- { required = { name = true }, optional = …, ignored = … } of the text of a header.
function marks.parse(text)
  local found = { required = {}, optional = {}, ignored = {} }
  for comment in text:gmatch "/%*(.-)%*/%s*[%w_]" do
    comment = comment:gsub("\n%s*%*?", " ")
    for mark, list in comment:gmatch "(%l+): ([^;:]-%(2%)[^;.:]*)" do
      for name in list:gmatch "([%w_]+)%(2%)" do
        if found[mark] then found[mark][name] = true end
      end
    end
  end
  return found
end

function marks.read()
  return marks.parse(assert(proc.slurp "src/sys/sys.h"))
end

function marks.sorted(set)
  local names = {}
  for name in pairs(set) do names[#names + 1] = name end
  table.sort(names)
  return names
end

return marks
