-- What both pages need of Markdown.

local markdown = {}

--- Applies change to what is not between backticks.
function markdown.outside_code(text, change)
  local out, at = {}, 1
  while true do
    local first, last = text:find("`[^`]*`", at)
    out[#out + 1] = change(text:sub(at, (first or 0) - 1))
    if not first then return table.concat(out) end
    out[#out + 1] = text:sub(first, last)
    at = last + 1
  end
end

--- "<close>" would be taken for HTML.
function markdown.escape_tags(text)
  return markdown.outside_code(text, function(part) return (part:gsub("<", "\\<")) end)
end

--- The anchors that a page's headings get, by the rule of the usual renderers: lower case, punctuation dropped, spaces
--- become "-", a second one of the same name ends in "-1".
function markdown.anchors()
  local seen = {}
  return function(heading)
    local slug = heading:lower():gsub("[^%w%- _]", ""):gsub(" ", "-")
    local count = seen[slug]
    seen[slug] = (count or 0) + 1
    return count and ("%s-%d"):format(slug, count) or slug
  end
end

--- Up to the first full stop; on one line.
function markdown.first_sentence(text)
  local line = text:gsub("\n", " ")
  return line:match "^(.-[%.;:])%f[%s\0]" and line:match("^(.-)[%.;:]%f[%s\0]") or line
end

return markdown
