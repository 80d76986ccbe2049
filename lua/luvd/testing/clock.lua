-- The clock of a simulated daemon. It stands still until it is moved; then it goes from alarm to alarm, and what each
-- sets off is over before the next.

local luvd = require "luvd"
local place = require "luvd.testing.place"

local ROUNDS_MAX = 1000 -- of the script's loop, until both sides are quiet
local QUIET = 2         -- turns without anything, after which they are
local PATIENCE = 20     -- milliseconds of real time for somebody outside
local HANGS = 5000      -- the same, when no alarm is set: nothing else will ever come

---@class luvd.testing.Clock
local Clock = {}
Clock.__index = Clock
Clock.__name = "luvd.testing.clock"

local clock = {}

function clock.new(native)
  return setmetatable({ native = native, connected = false }, Clock)
end

-- Lets the daemon, and what the test itself runs for it (clients, a server that it connects to), do what they can now.
function Clock:settle()
  local native = self.native
  native:settle()
  if not self.connected and not native:looks_out() then return end
  local quiet, count = 0, native:count()
  for _ = 1, ROUNDS_MAX do
    local now = native:turn()
    native:settle()
    quiet = now == count and quiet + 1 or 0
    if quiet == QUIET then return end
    count = now
  end
end

-- Whoever is outside keeps real time. Has something come?
local function wait(self, most)
  local count = self.native:count()
  return self.native:wait(most) ~= count
end

-- Moves by alarms, at most to the moment `to`, until done() is true. false: it is the moment, or no alarm is left.
local function move(self, to, done)
  local native = self.native
  while true do
    self:settle()
    if done() then return true end
    if not (native:looks_out() and wait(self, PATIENCE)) then
      local due = native:due()
      if not due or to and due > to then return false end
      native:step(due)
    end
  end
end

--- Until done() is true, however long that takes by this clock. Raises when nothing is left that could do it.
---@param done fun(): any
---@param what string "start"
function Clock:until_done(done, what)
  while not move(self, nil, done) do
    if not wait(self, HANGS) then error(("%s: nothing is left that could end it"):format(what), 0) end
  end
end

--- At most so many seconds, until done() is true.
---@param seconds number
---@param done fun(): any
function Clock:pass(seconds, done)
  local native = self.native
  local to = native:now() + math.max(math.ceil(seconds * 1000), 1)
  if move(self, to, done) then return end
  native:step(to)
  self:settle()
end

function Clock:advance(duration)
  local native = self.native
  local to = native:now() + math.floor(luvd.duration(duration) * 1000)
  self:settle()
  while native:step(to) do self:settle() end
  self:settle()
end

function Clock:now()
  return self.native:wall() / 1000
end

place.mark(Clock, { "advance", "now" })

return clock
