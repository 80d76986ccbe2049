-- The type expressions of LuaCATS: where one ends in a line, and which names it uses.

local expression = {}

local parser = {}
parser.__index = parser

function parser:fail(wanted)
  local rest = self.text:sub(self.at)
  error({ problem = ("expected %s in a type, got %s"):format(wanted, rest == "" and "the end" or "'" .. rest .. "'") })
end

-- Takes what pattern matches here, spaces before it included.
function parser:take(pattern)
  local _, last, found = self.text:find("^%s*(" .. pattern .. ")", self.at)
  if last then self.at = last + 1 end
  return found
end

function parser:need(pattern, wanted)
  return self:take(pattern) or self:fail(wanted)
end

-- item {, item} closer
function parser:list(item, closer, wanted)
  if self:take(closer) then return end
  repeat item(self) until not self:take ","
  self:need(closer, wanted)
end

-- name[?][: type], as parameters and results of a function have it
local function named(self)
  if self:take "%.%.%." then
    if self:take ":" then self:union() end
  elseif self:need("[%a_][%w_]*", "a name") and (self:take "%?" or true) and self:take ":" then
    self:union()
  end
end

local function result(self)
  if self:take "%.%.%." then
    if self:take ":" then self:union() end
    return
  end
  local _, last = self.text:find("^%s*[%a_][%w_]*%s*:%s*", self.at)
  if last then self.at = last + 1 end
  self:union()
end

local function member(self)
  if self:take "%[" then
    self:union()
    self:need("%]", "']'")
  else
    self:need("[%a_][%w_]*", "a field's name")
    self:take "%?"
  end
  self:need(":", "':'")
  self:union()
end

function parser:callable()
  self:need("%(", "'('")
  self:list(named, "%)", "')'")
  if not self:take ":" then return end
  if self:take "%(" then
    self:list(result, "%)", "')'")
  else
    repeat result(self) until not self:take ","
  end
end

function parser:primary()
  if self:take '"[^"]*"' or self:take "'[^']*'" or self:take "%-?%d+%.?%d*" then return end
  if self:take "%(" then
    self:union()
    self:need("%)", "')'")
  elseif self:take "{" then
    self:list(member, "}", "'}'")
  elseif self:take "fun%f[%(]" then
    self:callable()
  else
    self.names[#self.names + 1] = self:need("[%a_][%w_%.]*", "a name")
    if self:take "<" then self:list(self.union, ">", "'>'") end
  end
end

-- May be nil: "?" stands behind one of them. The "?" of what a function in it returns is not meant.
function parser:union()
  local optional = false
  repeat
    self:primary()
    while self.text:find("^%[%]", self.at) do self:take "%[%]" end
    if self.text:find("^%?", self.at) then optional = self:take "%?" ~= nil end
  until not self:take "|"
  return optional
end

--- Reads the type at the beginning of text.
---@param text string
---@return table type { text, names = those it uses, optional = it ends in "?", bare = text without that }
---@return string rest what follows
function expression.read(text)
  local self = setmetatable({ text = text, at = 1, names = {} }, parser)
  local optional = self:union()
  local type = text:sub(1, self.at - 1):match "^%s*(.-)%s*$"
  local bare = optional and type:gsub("%?$", "") or type
  return { text = type, bare = bare, names = self.names, optional = optional }, text:sub(self.at)
end

return expression
