-- The log of a daemon under test: text that grows, and tests that wait for a line in it.

local luvd = require "luvd"
local report = require "luvd.testing.report"
local task = require "luvd.task"

local WITHIN = 5 -- seconds, when the test does not say

---@class luvd.testing.Log
---@field private parts string[]
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

-- The next line that matches, from the position on: whole ones only unless it has ended, for a part of a line could
-- match less. Nothing when there is none yet, but where to look the next time.
local function find(self, pattern, from)
  local text = self:get()
  while from <= #text do
    local stop = text:find("\n", from, true) or self.ended and #text + 1
    if not stop then break end
    -- Behind a match in this line "^" does not begin one.
    local begins = from == 1 or text:byte(from - 1) == 10
    if begins or pattern:sub(1, 1) ~= "^" then
      local found = table.pack(text:sub(from, stop - 1):find(pattern))
      if found[1] then
        self.position = from + found[2]
        if found.n == 2 then return nil, text:sub(from + found[1] - 1, from + found[2] - 1) end
        return nil, table.unpack(found, 3, found.n)
      end
    end
    from = stop + 1
  end
  return from
end

local function fail(self, pattern, why)
  local text = report.cut(self:get())
  error(("wait_log: %q: %s; the log:\n%s"):format(pattern, why, text == "" and "(empty)" or text), 0)
end

local real = { now = luvd.now, wait = function(left, channel) channel:receive { timeout = left } end }

--- Waits for a line that matches and returns its captures, or the match; goes on behind it the next time.
---@param pattern string
---@param within? luvd.Duration
---@param clock? { now: fun(): number; wait: fun(left: number, channel: luvd.Channel) } by which time goes: seconds
---@return string ...
function Log:wait(pattern, within, clock)
  clock = clock or real
  local deadline = clock.now() + luvd.duration(within or WITHIN)
  local channel = task.channel(1)
  self.waiting[channel] = true
  local leave <close> = task.defer(function() self.waiting[channel] = nil end)
  local from = self.position
  while true do
    local found = table.pack(find(self, pattern, from))
    from = found[1]
    if not from then return table.unpack(found, 2, found.n) end
    if self.ended then fail(self, pattern, self.ended) end
    local left = deadline - clock.now()
    if left <= 0 then fail(self, pattern, ("no such line within %s"):format(within or WITHIN .. "s")) end
    clock.wait(left, channel)
  end
end

return log
