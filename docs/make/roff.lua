-- Pages in the language of man(7). Text is plain words with `code` between backticks; lines are broken by whoever reads
-- the page.

local roff = {}
roff.__index = roff

local WIDTH <const> = 78

-- Characters that a formatter would turn into others, or take for its own.
local special = { ["\\"] = "\\e", ["'"] = "\\(aq", ["`"] = "\\(ga", ["^"] = "\\(ha", ["~"] = "\\(ti" }

local function escape(text)
  text = text:gsub("[\\'`^~]", special)
  return (text:gsub("[\xC2-\xF4][\x80-\xBF]+", function(one) return ("\\[u%04X]"):format(utf8.codepoint(one)) end))
end

--- What is typed or written in a program: every "-" is one.
local function code(text)
  return (escape(text):gsub("%-", "\\-"))
end

-- Spaces in code must not be broken or stretched.
local function inline(text)
  local out, at = {}, 1
  for before, inside, after in text:gmatch "([^`]*)`([^`]*)`()" do
    out[#out + 1] = escape(before)
    out[#out + 1] = "\\fB" .. code(inside):gsub(" ", "\\ ") .. "\\fR"
    at = after
  end
  out[#out + 1] = escape(text:sub(at))
  return table.concat(out)
end

--- name: "LUVD"; section: 1; about: what stands behind the dash; version; date: "2026-11-22".
function roff.new(page)
  local self = setmetatable({ lines = {} }, roff)
  self:put((".TH %s %d %s \"luvd %s\" luvd"):format(page.name:upper(), page.section, page.date, page.version))
  self:put ".nh" -- what is typed must not be broken
  self:put ".ad l"
  self:section "NAME"
  self:put(("%s \\- %s"):format(page.name, escape(page.about)))
  return self
end

function roff:put(line)
  table.insert(self.lines, line)
end

-- A line of text: one that begins with "." or "'" is no request.
function roff:line(line)
  self:put((line:gsub("^[.']", "\\&%0")))
end

-- Words, a line at a time.
function roff:words(text)
  local line = ""
  for word in inline(text):gmatch "%S+" do
    if line ~= "" and #line + 1 + #word > WIDTH then
      self:line(line)
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  if line ~= "" then self:line(line) end
end

function roff:section(name)
  self:put((".SH %s"):format(name:find " " and '"' .. name .. '"' or name))
  self.fresh = true
end

function roff:subsection(name)
  self:put((".SS %s"):format('"' .. code(name) .. '"'))
  self.fresh = true
end

function roff:paragraph(text)
  if text:match "^%s*%- " then
    for line in (text .. "\n"):gmatch "%s*%- (.-)\n" do
      self:put ".IP \\(bu 2"
      self:words(line)
    end
    return
  end
  if not self.fresh then self:put ".PP" end
  self:words(text)
end

--- Paragraphs, which an empty line parts; one whose lines begin with "- " is a list.
function roff:text(text)
  for paragraph in (text .. "\n\n"):gmatch "(.-)\n%s*\n" do
    if paragraph:find "%S" then
      self:paragraph(paragraph)
      self.fresh = false
    end
  end
end

--- A line of code in the place of a term.
function roff:bold(text)
  self:put("\\fB" .. code(text) .. "\\fR")
end

--- A term, as it is typed, and what it means. value: what stands for something else, in italics.
function roff:item(term, text, value)
  self:put ".TP"
  self:put("\\fB" .. code(term) .. "\\fR" .. (value and " \\fI" .. code(value) .. "\\fR" or ""))
  self:words(text)
  self.fresh = false
end

--- A further paragraph of an item.
function roff:more(text)
  self:put ".IP"
  self:words(text)
end

--- Lines as they stand.
function roff:code(text)
  if not self.fresh then self:put ".PP" end
  self:put ".RS 4"
  self:put ".EX"
  for line in (text:gsub("\n?$", "\n")):gmatch "(.-)\n" do self:line(code(line)) end
  self:put ".EE"
  self:put ".RE"
  self.fresh = false
end

--- `luvd run FILE`: the name bold, capitals in italics.
function roff:synopsis(lines)
  for i, line in ipairs(lines) do
    if i > 1 then self:put ".br" end
    local head, rest = line:match "^(luvd %l+)(.*)$"
    if not head then head, rest = line:match "^(luvd)(.*)$" end
    rest = code(rest):gsub("%f[%a]%u%u+", "\\fI%0\\fR")
    self:line("\\fB" .. code(head) .. "\\fR" .. rest)
  end
  self.fresh = false
end

function roff:see(pages)
  self:section "SEE ALSO"
  local list = {}
  for i, page in ipairs(pages) do
    local name, section = page:match "^(.-)%((%d)%)$"
    list[i] = (".BR %s (%s)%s"):format(code(name), section, i < #pages and " ," or "")
  end
  for _, line in ipairs(list) do self:put(line) end
end

function roff:finish()
  return table.concat(self.lines, "\n") .. "\n"
end

return roff
