-- The log of a daemon under test: text that grows, and tests that wait for a line in it.

local luvd = require "luvd"
local task = require "luvd.task"

local WITHIN = 5 -- seconds, when the test does not say

---@class luvd.testing.Log
---@field private text string
---@field private position integer where the next wait looks
---@field private waiting table<luvd.Channel, true>
---@field private ended string|nil why nothing more will come
local Log = {}
Log.__index = Log
Log.__name = "luvd.testing.log"

local log = {}

function log.new()
  return setmetatable({ parts = {}, position = 1, waiting = {} }, Log)
end

local function wake(self)
  for channel in pairs(self.waiting) do channel:try_send(true) end
end

--- Never waits; may be called anywhere.
---@param text string any piece of it
function Log:add(text)
  self.parts[#self.parts + 1] = text
  wake(self)
end

--- Nothing more comes.
---@param why string "the daemon has ended"
function Log:finish(why)
  self.ended = why
  wake(self)
end

---@return string
function Log:get()
  if #self.parts > 1 then self.parts = { table.concat(self.parts) } end
  return self.parts[1] or ""
end

-- The lines from the position on, whole ones only unless it has ended: a part of a line could match less.
local function find(self, pattern)
  local text = self:get()
  local at = self.position
  while at <= #text do
    local stop = text:find("\n", at, true) or self.ended and #text + 1
    if not stop then return end
    local found = table.pack(text:sub(at, stop - 1):find(pattern, math.max(self.position - at + 1, 1)))
    if found[1] then
      self.position = at + found[2]
      if found.n == 2 then return text:sub(at + found[1] - 1, at + found[2] - 1) end
      return table.unpack(found, 3, found.n)
    end
    at = stop + 1
    self.position = math.max(self.position, at)
  end
end

local function fail(self, pattern, why)
  local text = self:get()
  error(("wait_log: %q: %s; the log:\n%s"):format(pattern, why, text == "" and "(empty)" or text), 0)
end

--- Waits for a line that matches and returns its captures, or the match; goes on behind it the next time.
---@param pattern string
---@param within? luvd.Duration
---@return string ...
function Log:wait(pattern, within)
  local deadline = luvd.now() + luvd.duration(within or WITHIN)
  local channel = task.channel(1)
  self.waiting[channel] = true
  local leave <close> = task.defer(function() self.waiting[channel] = nil end)
  while true do
    local found = table.pack(find(self, pattern))
    if found.n > 0 then return table.unpack(found, 1, found.n) end
    if self.ended then fail(self, pattern, self.ended) end
    local left = deadline - luvd.now()
    if left <= 0 or not channel:receive { timeout = left } and luvd.now() >= deadline then
      fail(self, pattern, ("no such line within %s"):format(within or WITHIN .. "s"))
    end
  end
end

return log
